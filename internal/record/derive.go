// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

// derivation makes an attribute of several fields, after a line is read. It has a line in
// the document as the fields of the table have.
type derivation struct {
	from, attr, words string
	// build finds the slots once; what it returns runs for each record.
	build func(slot func(attr string) int) func(v *attributeValues)
}

// everyDerivation holds for every type.
var everyDerivation = []derivation{
	{
		"request_metadata.client_ip_details.country, .region_code", AttrGeoRegionCode, "CH, ZH → CH-ZH",
		func(slot func(string) int) func(*attributeValues) {
			country, code, region := slot(AttrGeoCountryCode), slot(internalRegion), slot(AttrGeoRegionCode)
			last := "" // most records of a file come from few places
			return func(v *attributeValues) {
				of, text := v.text(country), v.text(code)
				if of == "" || text == "" {
					return
				}
				text = strings.TrimPrefix(text, of+"-")
				if len(last) != len(of)+1+len(text) || last[:len(of)] != of || last[len(of)+1:] != text {
					last = of + "-" + text
				}
				v.putText(region, last)
			}
		},
	},
	{
		"actor.agent_runtime.delegator", AttrActorDelegated, "true, and `user.id` and `user.email` are the delegator's, where the actor has none",
		func(slot func(string) int) func(*attributeValues) {
			id, email, mark := slot(AttrUserID), slot(AttrUserEmail), slot(AttrActorDelegated)
			forID, forEmail := slot(internalDelegator), slot(internalDelegatorM)
			return func(v *attributeValues) {
				if v.has(id) || v.has(email) || !v.has(forID) && !v.has(forEmail) {
					return
				}
				v.move(forID, id)
				v.move(forEmail, email)
				v.putTrue(mark)
			}
		},
	},
}

// derivations are those of one type.
var derivations = map[string][]derivation{
	"AUDIT_LOG": {
		{
			"action_data.principal_id, .principal_type", AttrTargetUserID + "`, `" + AttrTargetGroupID, "by the type: user or group",
			func(slot func(string) int) func(*attributeValues) {
				grantee, of := slot(internalGrantee), slot(AttrTargetPrincipal)
				users, groups := slot(AttrTargetUserID), slot(AttrTargetGroupID)
				return func(v *attributeValues) {
					switch id, of := v.text(grantee), strings.ToLower(v.text(of)); {
					case id == "":
					case strings.Contains(of, "user"):
						v.add(users, listItem{rank: v.values[grantee].rank, text: id})
					case strings.Contains(of, "group"):
						v.add(groups, listItem{rank: v.values[grantee].rank, text: id})
					}
				}
			},
		},
		{
			"action_data.id", AttrAgentID + "`, `" + AttrProjectID, "of CUSTOM_GPT_…; of PROJECT_…",
			func(slot func(string) int) func(*attributeValues) {
				action, id, agent, project := slot(AttrAction), slot(internalObjectID), slot(AttrAgentID), slot(AttrProjectID)
				return func(v *attributeValues) {
					switch action := v.text(action); {
					case strings.HasPrefix(action, "CUSTOM_GPT_") && !v.has(agent):
						v.move(id, agent)
					case strings.HasPrefix(action, "PROJECT_") && !v.has(project):
						v.move(id, project)
					}
				}
			},
		},
	},
	"CODEX_LOG": {{
		"event_details.call_id", AttrToolCallID, "of APP_MCP_…: joins call and result",
		func(slot func(string) int) func(*attributeValues) {
			sub, call, tool := slot(AttrEventSubtype), slot(internalCall), slot(AttrToolCallID)
			return func(v *attributeValues) {
				if strings.HasPrefix(v.text(sub), "APP_MCP_") && !v.has(tool) {
					v.move(call, tool)
				}
			}
		},
	}},
	"CODEX_TURN": {{
		"payload.token_usage.uncached_input_tokens, .cached_input_tokens", AttrInputTokens, "their sum, where both are there",
		func(slot func(string) int) func(*attributeValues) {
			uncached, cached, sum := slot(AttrUncachedTokens), slot(AttrCacheReadTokens), slot(AttrInputTokens)
			return func(v *attributeValues) {
				if !v.has(uncached) || !v.has(cached) {
					return
				}
				a, b := v.values[uncached].num, v.values[cached].num
				if a >= 0 && b >= 0 && a+b >= 0 {
					v.putInt(sum, a+b)
				}
			}
		},
	}, approximations},
	"CONVERSATION_MESSAGE": {{
		"message.author.model, message.id", AttrResponseModel + "`, `" + AttrResponseID, "of an assistant's message",
		func(slot func(string) int) func(*attributeValues) {
			author, model, id := slot(AttrEventSubtype), slot(AttrRequestModel), slot(AttrMessageID)
			responseModel, responseID := slot(AttrResponseModel), slot(AttrResponseID)
			return func(v *attributeValues) {
				if v.text(author) == "assistant" {
					v.move(model, responseModel)
					v.move(id, responseID)
				}
			}
		},
	}},
	"COSTS": {
		{
			"payload.measures.billing[].cost", AttrCostUSD + "`, `" + AttrCostCredits, "the exact sum of the rows in USD; in CREDITS",
			func(slot func(string) int) func(*attributeValues) {
				values, units, usd, credits := slot(internalCosts), slot(internalUnits), slot(AttrCostUSD), slot(AttrCostCredits)
				return func(v *attributeValues) {
					v.putSum(usd, rowsOf(v, values, units, "USD"))
					v.putSum(credits, rowsOf(v, values, units, "CREDITS"))
				}
			},
		},
		{
			"payload.measures.billing[].estimated_cost_usd", AttrCostEstimate, "the exact sum of the rows",
			func(slot func(string) int) func(*attributeValues) {
				values, estimate := slot(internalEstimates), slot(AttrCostEstimate)
				return func(v *attributeValues) { v.putSum(estimate, v.list(values)) }
			},
		},
		approximations,
		{
			"payload.day, .hour", "Timestamp", "the end of the hour, where `timestamp` cannot be read",
			func(slot func(string) int) func(*attributeValues) {
				day, hour, at := slot(internalDay), slot(internalHour), slot(attrTimestamp)
				return func(v *attributeValues) {
					if v.has(at) || !v.has(day) || !v.has(hour) {
						return
					}
					date, err := time.Parse(time.DateOnly, v.text(day))
					if hours := v.values[hour].num; err == nil && hours >= 0 && hours < 24 {
						end := date.Add(time.Duration(hours)*time.Hour + time.Hour - time.Second)
						if !end.Before(earliest) && !end.After(latest) {
							v.putInt(at, end.UnixNano())
						}
					}
				}
			},
		},
	},
}

// approximations are amounts as doubles, which metrics are made of.
var approximations = derivation{
	"the amounts", AttrCostUSDApprox + "`, `" + AttrCostEstimateApprox + "`, `" + AttrCostCreditsApprox, "the nearest double",
	func(slot func(string) int) func(*attributeValues) {
		exact := []int{slot(AttrCostUSD), slot(AttrCostEstimate), slot(AttrCostCredits)}
		approx := []int{slot(AttrCostUSDApprox), slot(AttrCostEstimateApprox), slot(AttrCostCreditsApprox)}
		return func(v *attributeValues) {
			for i := range exact {
				if n, err := strconv.ParseFloat(v.text(exact[i]), 64); err == nil {
					v.putDouble(approx[i], n)
				}
			}
		}
	},
}

// move copies a text to another slot, if it is there.
func (v *attributeValues) move(from, to int) {
	if v.has(from) {
		v.putText(to, v.text(from))
	}
}

// rowsOf returns the amounts in a unit. Amount and unit of a row have the same place.
func rowsOf(v *attributeValues, values, units int, unit string) (out []listItem) {
	in := map[int]bool{}
	for _, item := range v.list(units) {
		in[item.element] = strings.EqualFold(item.text, unit)
	}
	for _, item := range v.list(values) {
		if in[item.element] {
			out = append(out, item)
		}
	}
	return out
}

// maxSumDigits bounds what a sum takes: an exponent can make a few bytes a number of any
// length.
const maxSumDigits = 40

// putSum puts the exact sum of decimal amounts; that of one as it is written. An amount
// beyond 40 digits leaves the sum out.
func (v *attributeValues) putSum(slot int, amounts []listItem) {
	if len(amounts) == 1 {
		v.putText(slot, amounts[0].text)
	}
	if len(amounts) < 2 {
		return
	}
	sum, digits := new(big.Rat), 0
	for _, amount := range amounts {
		mantissa, exponent, _ := strings.Cut(strings.ToLower(amount.text), "e")
		_, fraction, _ := strings.Cut(mantissa, ".")
		shift, err := strconv.Atoi(exponent)
		if exponent != "" && err != nil || shift > maxSumDigits || shift < -maxSumDigits {
			return
		}
		n, ok := new(big.Rat).SetString(amount.text)
		if !ok {
			return
		}
		sum.Add(sum, n)
		digits = max(digits, len(fraction)-shift)
	}
	v.putText(slot, sum.FloatString(max(digits, 0)))
}
