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
	// Where a record comes from, and what it says about itself.
	AttrWorkspaceID     = "openai.workspace.id"
	AttrOrganizationID  = "openai.organization.id"
	AttrEventType       = "openai.compliance.event.type"
	AttrRecordType      = "openai.compliance.record.type"
	AttrRecordPrincipal = "openai.compliance.record.principal.id"
	AttrFileID          = "openai.compliance.file.id"
	AttrFileLine        = "openai.compliance.file.line"
	AttrFileSHA256      = "openai.compliance.file.sha256"
	AttrMalformed       = "openai.compliance.malformed"
	AttrUnverified      = "openai.compliance.unverified"
	AttrContent         = "openai.compliance.content"
	AttrNoTimestamp     = "openai.compliance.no_timestamp"
	AttrReplay          = "openai.compliance.replay"
	AttrSelf            = "openai.compliance.self"
	AttrGapFrom         = "openai.compliance.gap.from"
	AttrGapTo           = "openai.compliance.gap.to"
	AttrGapReason       = "openai.compliance.gap.reason"

	// What happened.
	AttrEventSubtype = "openai.compliance.event.subtype"
	AttrAction       = "openai.compliance.action"
	AttrPrivilege    = "openai.compliance.privilege"
	AttrOutcome      = "openai.compliance.outcome"
	AttrDecision     = "openai.compliance.decision"
	AttrReason       = "openai.compliance.reason"

	// Who did it.
	AttrActorType         = "openai.compliance.actor.type"
	AttrActorID           = "openai.compliance.actor.id"
	AttrActorName         = "openai.compliance.actor.name"
	AttrActorProvider     = "openai.compliance.actor.provider"
	AttrActorDelegated    = "openai.compliance.actor.delegated"
	AttrActorCredentialID = "openai.compliance.actor.credential_id"

	// Whom and what it was done to.
	AttrTargetID             = "openai.compliance.target.id"
	AttrTargetUserID         = "openai.compliance.target.user.id"
	AttrTargetUserEmail      = "openai.compliance.target.user.email"
	AttrTargetGroupID        = "openai.compliance.target.group.id"
	AttrTargetPrincipal      = "openai.compliance.target.principal.type"
	AttrTargetSharing        = "openai.compliance.target.sharing"
	AttrTargetRole           = "openai.compliance.target.role"
	AttrTargetRoleBefore     = "openai.compliance.target.role_before"
	AttrTargetDomainID       = "openai.compliance.target.domain.id"
	AttrTargetDomainName     = "openai.compliance.target.domain.name"
	AttrTargetCredentialID   = "openai.compliance.target.credential.id"
	AttrTargetCredentialType = "openai.compliance.target.credential.type"
	AttrTargetScopes         = "openai.compliance.target.credential.scopes"
	AttrTargetExpires        = "openai.compliance.target.credential.expires_at"
	AttrRequestTypes         = "openai.compliance.request.event_types"

	// What was changed.
	AttrFeature             = "openai.compliance.feature"
	AttrChangeValue         = "openai.compliance.change.value"
	AttrChangeValueBefore   = "openai.compliance.change.value_before"
	AttrChangeFields        = "openai.compliance.change.fields"
	AttrAccessMode          = "openai.compliance.change.access_mode"
	AttrAccessModeBefore    = "openai.compliance.change.access_mode_before"
	AttrPermissionsAdded    = "openai.compliance.change.permissions_added"
	AttrPermissionsRemoved  = "openai.compliance.change.permissions_removed"
	AttrActionsEnabled      = "openai.compliance.change.enabled_actions"
	AttrActionsUnrestricted = "openai.compliance.change.enabled_actions_unrestricted"
	AttrActionsAdded        = "openai.compliance.change.enabled_actions_added"
	AttrActionsRemoved      = "openai.compliance.change.enabled_actions_removed"
	AttrActionClamp         = "openai.compliance.change.action_clamp"
	AttrActionClampBefore   = "openai.compliance.change.action_clamp_before"
	AttrActionPolicy        = "openai.compliance.change.action_policy"
	AttrActionPolicyBefore  = "openai.compliance.change.action_policy_before"
	AttrInstallPolicy       = "openai.compliance.change.installation_policy"
	AttrInstallPolicyBefore = "openai.compliance.change.installation_policy_before"
	AttrWorkspaceAccess     = "openai.compliance.change.workspace_access"
	AttrAllowedIPs          = "openai.compliance.change.allowed_ips"
	AttrSignInEndpoint      = "openai.compliance.change.sign_in_endpoint"
	AttrNetworkAccess       = "openai.compliance.change.network_access"
	AttrNetworkAccessBefore = "openai.compliance.change.network_access_before"
	AttrChangeTrigger       = "openai.compliance.change.trigger"
	AttrConnectorIDs        = "openai.compliance.change.connectors"

	// Sign-in and client.
	AttrAuthProvider = "openai.compliance.auth.provider"
	AttrAuthApp      = "openai.compliance.auth.application"
	AttrAuthScopes   = "openai.compliance.auth.scopes"
	AttrClientID     = "openai.compliance.client.id"
	AttrClientJA4    = "openai.compliance.client.ja4"
	AttrClientASN    = "openai.compliance.client.asn"

	// Apps, agents, conversations.
	AttrAppID                 = "openai.compliance.app.id"
	AttrAppName               = "openai.compliance.app.name"
	AttrAppType               = "openai.compliance.app.type"
	AttrAppLinkID             = "openai.compliance.app.link_id"
	AttrAgentType             = "openai.compliance.agent.type"
	AttrAgentVisible          = "openai.compliance.agent.store_visible"
	AttrAgentApprovals        = "openai.compliance.agent.approvals"
	AttrMessageID             = "openai.compliance.message.id"
	AttrMessagePhase          = "openai.compliance.message.phase"
	AttrMessageTools          = "openai.compliance.message.tools"
	AttrMessageRating         = "openai.compliance.message.rating"
	AttrConversationMode      = "openai.compliance.conversation.mode"
	AttrConversationTemporary = "openai.compliance.conversation.temporary"
	AttrProjectID             = "openai.compliance.project.id"
	AttrTurnID                = "openai.compliance.turn.id"
	AttrRunID                 = "openai.compliance.run.id"
	AttrRunInvoker            = "openai.compliance.run.invoker"
	AttrRunShared             = "openai.compliance.run.shared"
	AttrRunInitiatorID        = "openai.compliance.run.initiator.id"
	AttrRunInitiatorType      = "openai.compliance.run.initiator.type"
	AttrSkillID               = "openai.compliance.skill.id"
	AttrSkillName             = "openai.compliance.skill.name"
	AttrTriggerID             = "openai.compliance.trigger.id"
	AttrTriggerType           = "openai.compliance.trigger.type"
	AttrTriggerEnabled        = "openai.compliance.trigger.enabled"
	AttrMemoryAccess          = "openai.compliance.memory.access"
	AttrEnvironmentID         = "openai.compliance.environment.id"
	AttrAccessTokenID         = "openai.compliance.access_token.id"
	AttrAccessTokenExpires    = "openai.compliance.access_token.expires_at"
	AttrPluginID              = "openai.compliance.plugin.id"
	AttrPluginName            = "openai.compliance.plugin.name"
	AttrPluginScope           = "openai.compliance.plugin.scope"
	AttrElicitationType       = "openai.compliance.elicitation.type"
	AttrElicitationPhase      = "openai.compliance.elicitation.phase"
	AttrElicitationURL        = "openai.compliance.elicitation.url"
	AttrSiteURL               = "openai.compliance.site.url"
	AttrDeploymentID          = "openai.compliance.site.deployment.id"

	// Codex Security.
	AttrScanID          = "openai.compliance.scan_configuration.id"
	AttrScanType        = "openai.compliance.scan_configuration.type"
	AttrScanState       = "openai.compliance.scan_configuration.state"
	AttrScanOwner       = "openai.compliance.scan_configuration.owner.id"
	AttrFindingID       = "openai.compliance.finding.id"
	AttrFindingStatus   = "openai.compliance.finding.status"
	AttrFindingSeverity = "openai.compliance.finding.severity"
	AttrFindingAssignee = "openai.compliance.finding.assignee.email"
	AttrRepositoryID    = "openai.compliance.repository.id"
	AttrPullRequestURL  = "openai.compliance.pull_request.url"

	// Usage and costs.
	AttrProduct               = "openai.compliance.product"
	AttrSurface               = "openai.compliance.surface"
	AttrReasoningEffort       = "openai.compliance.reasoning_effort"
	AttrCostUSD               = "openai.compliance.cost.usd"
	AttrCostUSDApprox         = "openai.compliance.cost.usd_approx"
	AttrCostEstimate          = "openai.compliance.cost.estimated_usd"
	AttrCostEstimateApprox    = "openai.compliance.cost.estimated_usd_approx"
	AttrCostCredits           = "openai.compliance.cost.credits"
	AttrCostCreditsApprox     = "openai.compliance.cost.credits_approx"
	AttrCostUnits             = "openai.compliance.cost.units"
	AttrCostSKUs              = "openai.compliance.cost.skus"
	AttrUncachedTokens        = "openai.compliance.usage.uncached_input_tokens"
	AttrUsageTextInput        = "openai.compliance.usage.text_input_tokens"
	AttrUsageTextCachedInput  = "openai.compliance.usage.text_cached_input_tokens"
	AttrUsageTextOutput       = "openai.compliance.usage.text_output_tokens"
	AttrUsageTextTotal        = "openai.compliance.usage.text_total_tokens"
	AttrUsageAudioInput       = "openai.compliance.usage.audio_input_tokens"
	AttrUsageAudioCachedInput = "openai.compliance.usage.audio_cached_input_tokens"
	AttrUsageAudioOutput      = "openai.compliance.usage.audio_output_tokens"
	AttrUsageAudioTotal       = "openai.compliance.usage.audio_total_tokens"
	AttrUsageImageInput       = "openai.compliance.usage.image_input_tokens"
	AttrUsageImageCachedInput = "openai.compliance.usage.image_cached_input_tokens"
	AttrUsageImageOutput      = "openai.compliance.usage.image_output_tokens"
	AttrUsageImageTotal       = "openai.compliance.usage.image_total_tokens"
	AttrUsageTotal            = "openai.compliance.usage.total_tokens"
	AttrUsageTotalInput       = "openai.compliance.usage.input_total_tokens"
	AttrUsageTotalCachedInput = "openai.compliance.usage.cached_input_total_tokens"
	AttrUsageTotalOutput      = "openai.compliance.usage.output_total_tokens"

	// Semantic conventions 1.41.0.
	AttrRecordUID       = "log.record.uid"
	AttrFileName        = "log.file.name"
	AttrUserID          = "user.id"
	AttrUserEmail       = "user.email"
	AttrUserRoles       = "user.roles"
	AttrSessionID       = "session.id"
	AttrErrorType       = "error.type"
	AttrClientAddress   = "client.address"
	AttrServerAddress   = "server.address"
	AttrUserAgent       = "user_agent.original"
	AttrClientJA3       = "tls.client.ja3"
	AttrGeoCountryCode  = "geo.country.iso_code"
	AttrGeoRegionCode   = "geo.region.iso_code"
	AttrGeoLocality     = "geo.locality.name"
	AttrGeoLat          = "geo.location.lat"
	AttrGeoLon          = "geo.location.lon"
	AttrRepositoryURL   = "vcs.repository.url.full"
	AttrServiceTier     = "openai.response.service_tier"
	AttrConversationID  = "gen_ai.conversation.id"
	AttrProviderName    = "gen_ai.provider.name"
	AttrRequestModel    = "gen_ai.request.model"
	AttrResponseModel   = "gen_ai.response.model"
	AttrResponseID      = "gen_ai.response.id"
	AttrAgentID         = "gen_ai.agent.id"
	AttrAgentName       = "gen_ai.agent.name"
	AttrAgentVersion    = "gen_ai.agent.version"
	AttrToolName        = "gen_ai.tool.name"
	AttrToolType        = "gen_ai.tool.type"
	AttrToolCallID      = "gen_ai.tool.call.id"
	AttrInputTokens     = "gen_ai.usage.input_tokens"            //nolint:gosec // a name, no credential
	AttrOutputTokens    = "gen_ai.usage.output_tokens"           //nolint:gosec // a name, no credential
	AttrCacheReadTokens = "gen_ai.usage.cache_read.input_tokens" //nolint:gosec // a name, no credential
	AttrReasoningTokens = "gen_ai.usage.reasoning.output_tokens" //nolint:gosec // a name, no credential
)

// ProviderOpenAI is the value of AttrProviderName, the semantic conventions'
// own word.
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
