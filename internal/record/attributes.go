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

	AttrEventType    = "openai.compliance.event.type"
	AttrEventSubtype = "openai.compliance.event.subtype"
	AttrAction       = "openai.compliance.action"
	AttrPrivilege    = "openai.compliance.privilege"
	AttrOutcome      = "openai.compliance.outcome"
	AttrActorType    = "openai.compliance.actor.type"
	AttrActorID      = "openai.compliance.actor.id"
	AttrFileID       = "openai.compliance.file.id"
	AttrFileLine     = "openai.compliance.file.line"
	AttrFileSHA256   = "openai.compliance.file.sha256"
	AttrMalformed    = "openai.compliance.malformed"
	AttrUnverified   = "openai.compliance.unverified"
	AttrGapFrom      = "openai.compliance.gap.from"
	AttrGapTo        = "openai.compliance.gap.to"
	AttrGapReason    = "openai.compliance.gap.reason"

	AttrRecordUID = "log.record.uid"
	AttrFileName  = "log.file.name"
	AttrUserID    = "user.id"
	AttrUserEmail = "user.email"
	AttrSessionID = "session.id"

	AttrClientAddress  = "client.address"
	AttrUserAgent      = "user_agent.original"
	AttrClientJA3      = "tls.client.ja3"
	AttrGeoCountryCode = "geo.country.iso_code"
	AttrGeoLocality    = "geo.locality.name"

	AttrConversationID = "gen_ai.conversation.id"
	AttrRequestModel   = "gen_ai.request.model"
	AttrAgentID        = "gen_ai.agent.id"
	AttrAgentName      = "gen_ai.agent.name"
	AttrToolName       = "gen_ai.tool.name"
	AttrInputTokens    = "gen_ai.usage.input_tokens"  //nolint:gosec // a name, no credential
	AttrOutputTokens   = "gen_ai.usage.output_tokens" //nolint:gosec // a name, no credential
)

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
	// GapRefused: the next component refused the records until the API forgot
	// their file.
	GapRefused = "refused"
)

// EventNamePrefix comes before the lower-case event type in a record's EventName.
const EventNamePrefix = "openai.compliance."
