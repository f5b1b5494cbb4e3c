// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

// kind is the one type that an attribute has in every record.
type kind uint8

const (
	kindString  kind = iota
	kindStrings      // a list of texts
	kindInt
	kindDouble
	kindBool
	kindTime // of the record's Timestamp, which is no attribute
)

// attribute describes an attribute.
type attribute struct {
	kind    kind
	example string
	meaning string
}

// attributes are all that a record can have. An attribute that a line of the table names
// and that is not here is internal: other attributes are made of it.
var attributes = map[string]attribute{
	// Where a record comes from, and what it says about itself.
	AttrWorkspaceID:     {kindString, "0f1e2d3c-4b5a-4697-8877-665544332211", "workspace the receiver collects (resource)"},
	AttrOrganizationID:  {kindString, "org-Invented000000000000001", "API Platform organization the receiver collects (resource)"},
	AttrEventType:       {kindString, "AUDIT_LOG", "event type of the file, as the API names it (resource and record)"},
	AttrRecordType:      {kindString, "AUTH_LOG", "the line's own `type`, where it is not the file's"},
	AttrRecordPrincipal: {kindString, "org-Invented000000000000002", "the line's own principal, where it is not the configured one"},
	AttrFileID:          {kindString, "eclf_01", "id of the file"},
	AttrFileLine:        {kindInt, "17", "line of the file, from 1"},
	AttrFileSHA256:      {kindString, "9f86d081884c7d65", "SHA-256 of the file's bytes"},
	AttrMalformed:       {kindBool, "true", "the line is not one JSON object in valid UTF-8"},
	AttrUnverified:      {kindBool, "true", "the file's digest is not the listed one"},
	AttrContent:         {kindString, "drop", "how content of this record is withheld"},
	AttrNoTimestamp:     {kindBool, "true", "the line has no readable time"},
	AttrReplay:          {kindString, "march", "name of the replay that delivers the record"},
	AttrSelf:            {kindBool, "true", "a list or download call made with the receiver's own key"},
	AttrGapFrom:         {kindString, "2026-07-01T00:00:00Z", "begin of a data gap, excluded"},
	AttrGapTo:           {kindString, "2026-07-03T00:00:00Z", "end of a data gap"},
	AttrGapReason:       {kindString, "retention", "why records may be missing"},
	// What happened.
	AttrEventSubtype: {kindString, "TOOL_CALL_COMPLETED", "sub-type of the record"},
	AttrAction:       {kindString, "USER_ROLE_UPDATED", "what was done"},
	AttrPrivilege:    {kindString, "ADMIN", "privilege the action was done with"},
	AttrOutcome:      {kindString, "failure", "`success`, `failure` or `blocked`"},
	AttrDecision:     {kindString, "denied", "decision about a tool call or an elicitation"},
	AttrReason:       {kindString, "user", "reason that the record gives, as an enumeration"},
	// Who did it.
	AttrActorType:         {kindString, "API_KEY", "kind of actor"},
	AttrActorID:           {kindString, "sk-...RxIA", "id of an actor that is no account: a redacted key, an agent, a system"},
	AttrActorName:         {kindString, "Release notes", "name of an agent that acts"},
	AttrActorProvider:     {kindString, "slack", "where an external user comes from"},
	AttrActorDelegated:    {kindBool, "true", "`user.id` and `user.email` are those of the person an agent acts for"},
	AttrActorCredentialID: {kindString, "cred_01", "credential the actor used"},
	// Whom and what it was done to.
	AttrTargetID:             {kindString, "file-0001", "id of the thing acted on that has no attribute of its own"},
	AttrTargetUserID:         {kindStrings, "[user-Grace00000000000000002]", "users acted on"},
	AttrTargetUserEmail:      {kindStrings, "[grace@example.com]", "e-mail addresses of users acted on"},
	AttrTargetGroupID:        {kindStrings, "[grp_01]", "groups acted on"},
	AttrTargetPrincipal:      {kindString, "group", "kind of principal that was given access"},
	AttrTargetSharing:        {kindStrings, "[public]", "kinds of recipients something is shared with"},
	AttrTargetRole:           {kindString, "account-admin", "role that was granted"},
	AttrTargetRoleBefore:     {kindString, "standard-user", "role before the change"},
	AttrTargetDomainID:       {kindString, "dom_01", "domain acted on"},
	AttrTargetDomainName:     {kindStrings, "[example.com]", "host names and domains acted on or allowed"},
	AttrTargetCredentialID:   {kindString, "cred_01", "key or token acted on"},
	AttrTargetCredentialType: {kindString, "personal_access_token", "kind of key or token"},
	AttrTargetScopes:         {kindStrings, "[read, write]", "scopes of a key or token"},
	AttrTargetExpires:        {kindString, "2026-08-02T10:20:00Z", "when a key or token expires"},
	AttrRequestTypes:         {kindStrings, "[AUDIT_LOG]", "event types whose log files were listed or downloaded"},
	// What was changed.
	AttrFeature:             {kindString, "connectors", "feature that was changed"},
	AttrChangeValue:         {kindString, "true", "value after the change"},
	AttrChangeValueBefore:   {kindString, "false", "value before the change"},
	AttrChangeFields:        {kindStrings, "[enabled]", "names of the changed fields"},
	AttrAccessMode:          {kindString, "public", "who may open a site"},
	AttrAccessModeBefore:    {kindString, "workspace", "the same before the change"},
	AttrPermissionsAdded:    {kindStrings, "[workspace.manage]", "permissions that a role gained"},
	AttrPermissionsRemoved:  {kindStrings, "[workspace.read]", "permissions that a role lost"},
	AttrActionsEnabled:      {kindStrings, "[search]", "actions of an app that may be used"},
	AttrActionsUnrestricted: {kindBool, "true", "every action of the app may be used"},
	AttrActionsAdded:        {kindStrings, "[write]", "actions that were allowed"},
	AttrActionsRemoved:      {kindStrings, "[search]", "actions that were disallowed"},
	AttrActionClamp:         {kindBool, "false", "whether actions are restricted"},
	AttrActionClampBefore:   {kindBool, "true", "the same before the change"},
	AttrActionPolicy:        {kindStrings, "[ask]", "policy for actions of an app"},
	AttrActionPolicyBefore:  {kindStrings, "[never]", "the same before the change"},
	AttrInstallPolicy:       {kindString, "available", "who may install a plugin"},
	AttrInstallPolicyBefore: {kindString, "blocked", "the same before the change"},
	AttrWorkspaceAccess:     {kindString, "enabled", "access of the whole workspace to a skill"},
	AttrAllowedIPs:          {kindStrings, "[203.0.113.0/24]", "address ranges of an allow-list"},
	AttrSignInEndpoint:      {kindString, "https://login.example.com", "host of the identity provider"},
	AttrNetworkAccess:       {kindString, "on", "network access of Codex after the change"},
	AttrNetworkAccessBefore: {kindString, "off", "the same before the change"},
	AttrChangeTrigger:       {kindString, "share_dialog", "what led to the change"},
	AttrConnectorIDs:        {kindStrings, "[connector_77]", "connectors that the change affects"},
	// Sign-in and client.
	AttrAuthProvider: {kindString, "password", "way of signing in"},
	AttrAuthApp:      {kindString, "Some CLI", "application that was signed in to"},
	AttrAuthScopes:   {kindStrings, "[read]", "scopes that were granted"},
	AttrClientID:     {kindString, "CODEX_CLI", "client application"},
	AttrClientJA4:    {kindString, "t13d1516h2_8daaf6152771_e5627efa2ab1", "JA4 fingerprint of the client"},
	AttrClientASN:    {kindInt, "29518", "autonomous system of the client's address"},
	// Apps, agents, conversations.
	AttrAppID:                 {kindString, "connector_77", "app or connector"},
	AttrAppName:               {kindString, "Drive", "its name"},
	AttrAppType:               {kindString, "MCP", "its kind"},
	AttrAppLinkID:             {kindString, "link_01", "link between a user and an app"},
	AttrAgentType:             {kindString, "subagent", "kind of agent"},
	AttrAgentVisible:          {kindBool, "false", "whether the agent is in the workspace's store"},
	AttrAgentApprovals:        {kindStrings, "[never]", "approvals that an agent asks its users for"},
	AttrMessageID:             {kindString, "msg_01", "message"},
	AttrMessagePhase:          {kindString, "final_answer", "part of a run that a message belongs to"},
	AttrMessageTools:          {kindStrings, "[web]", "tools that an answer used"},
	AttrMessageRating:         {kindString, "thumbs_up", "rating of a message"},
	AttrConversationMode:      {kindString, "work", "mode of the conversation"},
	AttrConversationTemporary: {kindBool, "true", "the conversation is not kept"},
	AttrProjectID:             {kindString, "g-p-01", "project"},
	AttrTurnID:                {kindString, "e2222222-2222-4222-8222-222222222222", "turn of a Codex session"},
	AttrRunID:                 {kindString, "run_01", "run of an agent"},
	AttrRunInvoker:            {kindString, "schedule_trigger", "what started the run"},
	AttrRunShared:             {kindBool, "true", "somebody else than the agent's owner started the run"},
	AttrRunInitiatorID:        {kindString, "user-Ada0000000000000000001", "who started the run"},
	AttrRunInitiatorType:      {kindString, "user", "kind of who started the run"},
	AttrSkillID:               {kindString, "skl_01", "skill"},
	AttrSkillName:             {kindString, "changelog", "its name"},
	AttrTriggerID:             {kindString, "trg_01", "trigger of an agent"},
	AttrTriggerType:           {kindString, "webhook", "its kind"},
	AttrTriggerEnabled:        {kindBool, "true", "whether it is on"},
	AttrMemoryAccess:          {kindString, "search", "how an agent used its memory"},
	AttrEnvironmentID:         {kindString, "env_01", "Codex environment"},
	AttrAccessTokenID:         {kindString, "at_01", "Codex access token"},
	AttrAccessTokenExpires:    {kindString, "2026-11-02T12:00:00Z", "when it expires"},
	AttrPluginID:              {kindString, "plg_01", "plugin"},
	AttrPluginName:            {kindString, "lint", "its name"},
	AttrPluginScope:           {kindString, "WORKSPACE", "for whom it is installed"},
	AttrElicitationType:       {kindString, "url", "what a tool asks its user for"},
	AttrElicitationPhase:      {kindString, "requested", "where that stands"},
	AttrElicitationURL:        {kindString, "https://example.com/authorize", "address the user is sent to"},
	AttrSiteURL:               {kindString, "https://site.example.com", "address of a deployed site"},
	AttrDeploymentID:          {kindString, "dep_01", "deployment of a site"},
	// Codex Security.
	AttrScanID:          {kindString, "scan_01", "scan configuration"},
	AttrScanType:        {kindString, "full", "kind of scan"},
	AttrScanState:       {kindString, "active", "whether it runs"},
	AttrScanOwner:       {kindString, "user-Grace00000000000000002", "its owner"},
	AttrFindingID:       {kindString, "find_01", "finding"},
	AttrFindingStatus:   {kindString, "resolved", "its status"},
	AttrFindingSeverity: {kindString, "high", "its criticality"},
	AttrFindingAssignee: {kindString, "ada@example.com", "who works on it"},
	AttrRepositoryID:    {kindString, "repo_01", "repository"},
	AttrPullRequestURL:  {kindString, "https://github.com/example/repo/pull/7", "proposed patch"},
	// Usage and costs.
	AttrProduct:               {kindString, "codex", "product that was used"},
	AttrSurface:               {kindString, "ChatGPT", "where it was used"},
	AttrReasoningEffort:       {kindString, "low", "reasoning effort"},
	AttrCostUSD:               {kindString, "12.25", "US dollars, exact decimal text; of several rows their exact sum"},
	AttrCostUSDApprox:         {kindDouble, "12.25", "the nearest double to it, for metrics"},
	AttrCostEstimate:          {kindString, "3", "estimated US dollars, exact decimal text"},
	AttrCostEstimateApprox:    {kindDouble, "3", "the nearest double to it"},
	AttrCostCredits:           {kindString, "1.250", "credits, exact decimal text"},
	AttrCostCreditsApprox:     {kindDouble, "1.25", "the nearest double to it"},
	AttrCostUnits:             {kindStrings, "[USD, CREDITS]", "units of the billed costs"},
	AttrCostSKUs:              {kindStrings, "[gpt-5-input]", "billed SKUs"},
	AttrUncachedTokens:        {kindInt, "2048", "input tokens that came from no cache"},
	AttrUsageTextInput:        {kindInt, "12", "input text tokens of a row of costs"},
	AttrUsageTextCachedInput:  {kindInt, "12", "cached input text tokens of a row of costs"},
	AttrUsageTextOutput:       {kindInt, "12", "output text tokens of a row of costs"},
	AttrUsageTextTotal:        {kindInt, "12", "all text tokens of a row of costs"},
	AttrUsageAudioInput:       {kindInt, "12", "input audio tokens of a row of costs"},
	AttrUsageAudioCachedInput: {kindInt, "12", "cached input audio tokens of a row of costs"},
	AttrUsageAudioOutput:      {kindInt, "12", "output audio tokens of a row of costs"},
	AttrUsageAudioTotal:       {kindInt, "12", "all audio tokens of a row of costs"},
	AttrUsageImageInput:       {kindInt, "12", "input image tokens of a row of costs"},
	AttrUsageImageCachedInput: {kindInt, "12", "cached input image tokens of a row of costs"},
	AttrUsageImageOutput:      {kindInt, "12", "output image tokens of a row of costs"},
	AttrUsageImageTotal:       {kindInt, "12", "all image tokens of a row of costs"},
	AttrUsageTotal:            {kindInt, "12", "all tokens of a row of costs"},
	AttrUsageTotalInput:       {kindInt, "12", "all input tokens of a row of costs"},
	AttrUsageTotalCachedInput: {kindInt, "12", "all cached input tokens of a row of costs"},
	AttrUsageTotalOutput:      {kindInt, "12", "all output tokens of a row of costs"},
	// Semantic conventions 1.41.0.
	AttrRecordUID:       {kindString, "a0000000-0000-4000-8000-000000000001", "the event's id, or `<file id>:<line>`"},
	AttrFileName:        {kindString, "AUDIT_LOG_2026-08-01T12:30:07.481516+00:00.jsonl", "name of the file"},
	AttrUserID:          {kindString, "user-Ada0000000000000000001", "account that acted, or for which an agent acted"},
	AttrUserEmail:       {kindString, "ada@example.com", "its e-mail address"},
	AttrUserRoles:       {kindStrings, "[standard-user]", "its roles"},
	AttrSessionID:       {kindString, "e1111111-1111-4111-8111-111111111111", "session"},
	AttrErrorType:       {kindString, "rate_limited", "code of an error"},
	AttrClientAddress:   {kindString, "203.0.113.7", "address of the client"},
	AttrServerAddress:   {kindString, "chatgpt.com", "host that was called"},
	AttrUserAgent:       {kindString, "codex-cli/0.42.0", "user agent"},
	AttrClientJA3:       {kindString, "e7d705a3286e19ea42f587b344ee6865", "JA3 fingerprint of the client"},
	AttrGeoCountryCode:  {kindString, "CH", "country of the client's address"},
	AttrGeoRegionCode:   {kindString, "CH-ZH", "region of the client's address"},
	AttrGeoLocality:     {kindString, "Zürich", "city of the client's address"},
	AttrGeoLat:          {kindDouble, "47.3769", "latitude of the client's address"},
	AttrGeoLon:          {kindDouble, "8.5417", "longitude of the client's address"},
	AttrRepositoryURL:   {kindString, "https://github.com/example/repo", "repository"},
	AttrServiceTier:     {kindString, "default", "service tier"},
	AttrConversationID:  {kindString, "d1111111-1111-4111-8111-111111111111", "conversation"},
	AttrProviderName:    {kindString, "openai", "on every record with a gen_ai attribute"},
	AttrRequestModel:    {kindString, "gpt-5", "model"},
	AttrResponseModel:   {kindString, "gpt-5", "model that wrote the message"},
	AttrResponseID:      {kindString, "d2222222-2222-4222-8222-222222222222", "message of an assistant"},
	AttrAgentID:         {kindString, "agt_0123456789ab", "agent or GPT"},
	AttrAgentName:       {kindString, "Release notes", "its name"},
	AttrAgentVersion:    {kindString, "ver_3", "its version"},
	AttrToolName:        {kindString, "shell", "tool"},
	AttrToolType:        {kindString, "function", "its kind"},
	AttrToolCallID:      {kindString, "call_02", "call of a tool"},
	AttrInputTokens:     {kindInt, "18234", "input tokens, cached ones included"},
	AttrOutputTokens:    {kindInt, "912", "output tokens"},
	AttrCacheReadTokens: {kindInt, "16000", "input tokens from a cache"},
	AttrReasoningTokens: {kindInt, "320", "output tokens of reasoning"},
}

// kindOf is the type of an attribute, and of what other attributes are made of.
func kindOf(name string) kind {
	if internal, ok := internalKinds[name]; ok {
		return internal
	}
	return attributes[name].kind
}
