// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

// SchemaURL is the last version of the semantic conventions under which every
// conventional name below is defined: gen_ai.* left them in 1.42.0.
const SchemaURL = "https://opentelemetry.io/schemas/1.41.0"

// ScopeName is the instrumentation scope of all records.
const ScopeName = "github.com/openaicompliance/openaicompliancereceiver"

// Attribute names. Those that the semantic conventions do not define begin with
// "openai."; none is a dotted prefix of another.
const (
	AttrWorkspaceID    = "openai.workspace.id"
	AttrOrganizationID = "openai.organization.id"

	AttrEventType      = "openai.compliance.event.type"
	AttrEventSubtype   = "openai.compliance.event.subtype"
	AttrAction         = "openai.compliance.action"
	AttrPrivilege      = "openai.compliance.privilege"
	AttrOutcome        = "openai.compliance.outcome"
	AttrDecision       = "openai.compliance.decision"
	AttrActorType      = "openai.compliance.actor.type"
	AttrActorID        = "openai.compliance.actor.id"
	AttrActorName      = "openai.compliance.actor.name"
	AttrActorProvider  = "openai.compliance.actor.provider"
	AttrActorRole      = "openai.compliance.actor.role"
	AttrCredentialID   = "openai.compliance.actor.credential_id"
	AttrTargetID       = "openai.compliance.target.id"
	AttrTargetUserID   = "openai.compliance.target.user.id"
	AttrTargetRole     = "openai.compliance.target.role"
	AttrFeature        = "openai.compliance.feature"
	AttrAuthProvider   = "openai.compliance.auth.provider"
	AttrAuthApp        = "openai.compliance.auth.application"
	AttrClientID       = "openai.compliance.client.id"
	AttrClientJA4      = "openai.compliance.client.ja4"
	AttrClientASN      = "openai.compliance.client.asn"
	AttrAppID          = "openai.compliance.app.id"
	AttrAppName        = "openai.compliance.app.name"
	AttrAppType        = "openai.compliance.app.type"
	AttrAppLinkID      = "openai.compliance.app.link_id"
	AttrMessageID      = "openai.compliance.message.id"
	AttrProjectID      = "openai.compliance.project.id"
	AttrTurnID         = "openai.compliance.turn.id"
	AttrRunID          = "openai.compliance.run.id"
	AttrRunInvoker     = "openai.compliance.run.invoker"
	AttrSkillID        = "openai.compliance.skill.id"
	AttrSkillName      = "openai.compliance.skill.name"
	AttrTriggerID      = "openai.compliance.trigger.id"
	AttrEnvironmentID  = "openai.compliance.environment.id"
	AttrAccessTokenID  = "openai.compliance.access_token.id"
	AttrPluginID       = "openai.compliance.plugin.id"
	AttrPluginName     = "openai.compliance.plugin.name"
	AttrScanID         = "openai.compliance.scan_configuration.id"
	AttrFindingID      = "openai.compliance.finding.id"
	AttrProduct        = "openai.compliance.product"
	AttrCostUSD        = "openai.compliance.cost.usd"
	AttrCostEstimate   = "openai.compliance.cost.estimated_usd"
	AttrCostCredits    = "openai.compliance.cost.credits"
	AttrUncachedTokens = "openai.compliance.usage.uncached_input_tokens"
	AttrTextInTokens   = "openai.compliance.usage.text_input_tokens"
	AttrTextCacheRead  = "openai.compliance.usage.text_cached_input_tokens"
	AttrTextOutTokens  = "openai.compliance.usage.text_output_tokens"

	AttrFileID     = "openai.compliance.file.id"
	AttrFileLine   = "openai.compliance.file.line"
	AttrFileSHA256 = "openai.compliance.file.sha256"
	AttrMalformed  = "openai.compliance.malformed"
	AttrUnverified = "openai.compliance.unverified"
	AttrContent    = "openai.compliance.content"
	AttrReplay     = "openai.compliance.replay"
	AttrSelf       = "openai.compliance.self"
	AttrGapFrom    = "openai.compliance.gap.from"
	AttrGapTo      = "openai.compliance.gap.to"
	AttrGapReason  = "openai.compliance.gap.reason"

	AttrRecordUID = "log.record.uid"
	AttrFileName  = "log.file.name"
	AttrUserID    = "user.id"
	AttrUserEmail = "user.email"
	AttrSessionID = "session.id"
	AttrErrorType = "error.type"

	AttrClientAddress  = "client.address"
	AttrServerAddress  = "server.address"
	AttrUserAgent      = "user_agent.original"
	AttrClientJA3      = "tls.client.ja3"
	AttrGeoCountryCode = "geo.country.iso_code"
	AttrGeoLocality    = "geo.locality.name"

	AttrConversationID  = "gen_ai.conversation.id"
	AttrProviderName    = "gen_ai.provider.name"
	AttrRequestModel    = "gen_ai.request.model"
	AttrAgentID         = "gen_ai.agent.id"
	AttrAgentName       = "gen_ai.agent.name"
	AttrToolName        = "gen_ai.tool.name"
	AttrToolCallID      = "gen_ai.tool.call.id"
	AttrInputTokens     = "gen_ai.usage.input_tokens"            //nolint:gosec // a name, no credential
	AttrOutputTokens    = "gen_ai.usage.output_tokens"           //nolint:gosec // a name, no credential
	AttrCacheReadTokens = "gen_ai.usage.cache_read.input_tokens" //nolint:gosec // a name, no credential
	AttrReasoningTokens = "gen_ai.usage.reasoning.output_tokens" //nolint:gosec // a name, no credential
)

// ProviderOpenAI is the value of AttrProviderName, the semantic conventions'
// own word; every record that names a model has it.
const ProviderOpenAI = "openai"

// Values of AttrOutcome.
const (
	OutcomeSuccess = "success"
	OutcomeFailure = "failure"
	OutcomeBlocked = "blocked"
)

// Values of AttrGapReason.
const (
	// GapRetention: no listing saw these times before the API forgot them.
	GapRetention = "retention"
	// GapFileExpired: the file was listed, and forgotten before it could be read.
	GapFileExpired = "file_expired"
	// GapRefused: the next component rejected the records until the API forgot
	// their file.
	GapRefused = "refused"
	// GapSuspected: one clock alone says that these times have expired.
	GapSuspected = "suspected"
	// GapTies: more files share one end_time than the API lists.
	GapTies = "ties"
	// GapUnreadableEntry: the listing has an entry without a usable id.
	GapUnreadableEntry = "unreadable_entry"
)

// EventNamePrefix comes before the lower-case event type in a record's EventName.
const EventNamePrefix = "openai.compliance."
