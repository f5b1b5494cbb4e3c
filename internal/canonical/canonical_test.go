// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Examples of RFC 8785, and what its form has no place for.
func TestJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],` +
			`"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals": [null, true, false]}`: `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
			`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`: "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}",
		`[-0, 0.0, 1e21, 1e20, 1e-6, 1e-7, -1.50, 9007199254740993]`:                  `[0,0,1e+21,100000000000000000000,0.000001,1e-7,-1.5,9007199254740992]`,
		`"\b\t\n\u000b\f\r\u007f\u2028<&>"`:                                           "\"\\b\\t\\n\\u000b\\f\\r\u007f\u2028<&>\"",
		` {} `:                                                                        `{}`,
		`{"a":1,"a":2}`:                                                               `{"a":2}`,
		`[ 1e400 ]`:                                                                   `[1e400]`,
		`[ "\ud800" ]`:                                                                `[ "\ud800" ]`,
	} {
		assert.Equal(t, want, string(JSON([]byte(text))), text)
	}
}
