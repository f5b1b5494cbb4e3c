// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

var (
	uuidPattern         = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)
	organizationPattern = regexp.MustCompile(`^org-[A-Za-z0-9_-]+$`)
	eventTypePattern    = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	hostPattern         = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*$`)
)

var _ confmap.Validator = (*Config)(nil)

// Validate reports everything that is wrong with the configuration, not only
// the first fault; each error begins with the key it is about.
//
// A value is quoted by secret.Quote, which shows nothing that may be a secret.
// Texts of other packages are concealed here.
func (c *Config) Validate() error {
	return c.conceal(errors.Join(
		errors.Join(c.faults...),
		c.validateMisplacedKeys(),
		c.validateKey(),
		c.validatePrincipal(),
		c.validateEventTypes(),
		c.validateState(),
		c.validatePolling(),
		c.validatePollSchedule(),
		c.validateReplays(),
		c.validateChoices(),
		c.Content.validate(),
		c.Digest.validate(),
		c.validateRetries(),
		c.validateBounds(),
		c.validateEgress(),
		c.validateHTTP(),
	))
}

func (c *Config) validateKey() error {
	switch {
	case c.APIKey == "" && c.APIKeyFile == "":
		return errors.New("api_key: missing; set api_key (for example ${env:OPENAI_COMPLIANCE_API_KEY}; an unset variable counts as empty) or api_key_file")
	case c.APIKey != "" && c.APIKeyFile != "":
		return errors.New("api_key, api_key_file: both are set; keep exactly one")
	case strings.HasPrefix(string(c.APIKey), "Bearer "):
		return errors.New(`api_key: give the key alone, without "Bearer "`)
	case c.APIKey != "":
		if err := compliance.CheckKey(string(c.APIKey)); err != nil {
			return fmt.Errorf("api_key: %w", err)
		}
	}
	return nil
}

func (c *Config) validatePrincipal() error {
	switch {
	case c.WorkspaceID == "" && c.OrganizationID == "":
		return errors.New("workspace_id: missing; set workspace_id (a ChatGPT workspace, a UUID) or organization_id (an API Platform organization, org-…)")
	case c.WorkspaceID != "" && c.OrganizationID != "":
		return errors.New("workspace_id, organization_id: both are set; keep exactly one, and use a second receiver for the other")
	case c.WorkspaceID != "" && organizationPattern.MatchString(c.WorkspaceID):
		return errors.New("workspace_id: this is an organization's id; write it under organization_id")
	case c.WorkspaceID != "" && !uuidPattern.MatchString(c.WorkspaceID):
		return fmt.Errorf("workspace_id: %s is not a UUID such as 0f8fad5b-d9cb-469f-a165-70867728950e", secret.Quote(c.WorkspaceID))
	case c.OrganizationID != "" && uuidPattern.MatchString(c.OrganizationID):
		return errors.New("organization_id: this is a workspace's id; write it under workspace_id")
	case c.OrganizationID != "" && !organizationPattern.MatchString(c.OrganizationID):
		return fmt.Errorf("organization_id: %s does not look like org-p13k3klgno5cqxbf0q8hpgrk", secret.Quote(c.OrganizationID))
	}
	return nil
}

func (c *Config) validateEventTypes() error {
	if len(c.EventTypes) == 0 {
		return errors.New("event_types: missing; name at least one, for example [AUTH_LOG, AUDIT_LOG]")
	}
	return c.checkEventTypes(c.EventTypes)
}

func (c *Config) checkEventTypes(types []string) error {
	var errs []error
	seen := map[string]bool{}
	for _, t := range types {
		known, ok := collect.EventTypes[t]
		switch {
		case !eventTypePattern.MatchString(t):
			errs = append(errs, fmt.Errorf("event_types: %s does not look like an event type; they are written in capitals, digits and underscores, for example AUTH_LOG", secret.Quote(t)))
		case seen[t]:
			errs = append(errs, fmt.Errorf("event_types: %s is listed twice", t))
		case ok && c.OrganizationID != "" && !known.Organization:
			errs = append(errs, fmt.Errorf("event_types: %s exists for workspaces only; collect it with a receiver that has workspace_id", t))
		case ok && c.WorkspaceID != "" && !known.Workspace:
			errs = append(errs, fmt.Errorf("event_types: %s exists for organizations only; collect it with a receiver that has organization_id", t))
		}
		seen[t] = true
	}
	return errors.Join(errs...)
}

func (c *Config) validateState() error {
	if c.StorageID == nil && !c.AllowEphemeralCursor {
		return errors.New("storage: missing; name a storage extension (for example file_storage), without it every restart would begin at start_from again; allow_ephemeral_cursor: true accepts that")
	}
	return nil
}

func (c *Config) validatePolling() error {
	var errs []error
	if err := validateTimes(c.StartFrom, c.Until, time.Now()); err != nil {
		errs = append(errs, err)
	}
	if c.Overlap < 0 || c.Overlap > retention {
		errs = append(errs, fmt.Errorf("overlap: %v must be between 0 and %v, the time the API keeps files", c.Overlap, retention))
	}
	if c.Deduplication.Window < 0 || c.Deduplication.Window > retention {
		errs = append(errs, fmt.Errorf("deduplication::window: %v must be between 0 (off) and %v", c.Deduplication.Window, retention))
	}
	return errors.Join(errs...)
}

func (c *Config) validateChoices() error {
	return errors.Join(
		oneOf("on_missing_state", c.OnMissingState, missingStateStart, missingStateFail),
		oneOf("on_permanent_error", c.OnPermanentError, permanentQuarantine, permanentDrop, permanentBlock),
		oneOf("body", c.Body, bodyRaw, bodyParsed),
		oneOf("own_requests", c.OwnRequests, ownKeep, ownMark),
		oneOf("download::verify", c.Download.Verify, verifyLenient, verifyStrict),
	)
}

func oneOf(key, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s: %s is not one of %s", key, secret.Quote(value), strings.Join(allowed, ", "))
}

func (c *Config) validateRetries() error {
	var errs []error
	backOff := configretry.BackOffConfig(c.APIRetry.BackOff)
	if err := backOff.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("api_retry: %w", err))
	}
	for _, code := range c.APIRetry.StatusCodes {
		switch {
		case code < 400 || code > 599:
			errs = append(errs, fmt.Errorf("api_retry::status_codes: %d is not an HTTP error status (400 to 599)", code))
		case code == http.StatusUnauthorized || code == http.StatusForbidden:
			errs = append(errs, fmt.Errorf("api_retry::status_codes: %d is not tried again within a pass; the next pass does", code))
		}
	}
	return errors.Join(append(errs,
		validateFactors("api_retry", configretry.BackOffConfig(c.APIRetry.BackOff)),
		validateFactors("retry_on_failure", c.RetryOnFailure),
	)...)
}
