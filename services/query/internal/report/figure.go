package report

import (
	"math"
	"strconv"
	"strings"
)

// Figures are kept in whole microseconds until they are written: rounding happens
// in the answer, once.

// Hours is a time in microseconds, or headcount × microseconds, written in hours.
type Hours int64

// String is the hours with three to six decimals: 9.000, 8.766667.
func (h Hours) String() string { return decimal(divide(int64(h), 3600), 3) }

// MarshalJSON writes the number that String shows.
func (h Hours) MarshalJSON() ([]byte, error) { return []byte(h.String()), nil }

// Minutes is a time in microseconds, written in minutes.
type Minutes int64

// String is the minutes with up to six decimals.
func (m Minutes) String() string { return decimal(divide(int64(m), 60), 0) }

// MarshalJSON writes the number that String shows.
func (m Minutes) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// Seconds is a time in microseconds, written in seconds.
type Seconds int64

// String is the seconds with up to six decimals.
func (s Seconds) String() string { return decimal(int64(s), 0) }

// MarshalJSON writes the number that String shows.
func (s Seconds) MarshalJSON() ([]byte, error) { return []byte(s.String()), nil }

// Mean is a mean or a share.
type Mean float64

// String is the mean with up to six decimals.
func (m Mean) String() string { return decimal(int64(math.Round(float64(m)*1e6)), 0) }

// MarshalJSON writes the number that String shows.
func (m Mean) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// mean is part of whole, nil where the whole is nothing: a share of nothing is
// not known.
func mean(part, whole int64) *Mean {
	if whole == 0 {
		return nil
	}
	m := Mean(float64(part) / float64(whole))
	return &m
}

// percent is 100 × part ÷ whole, nil where the whole is nothing.
func percent(part, whole int64) *Mean { return mean(100*part, whole) }

// figure is a count as rows hold it.
func figure[N int | int32 | int64](n N) *int64 {
	f := int64(n)
	return &f
}

// divide rounds half away from zero.
func divide(n, by int64) int64 {
	if n < 0 {
		return -divide(-n, by)
	}
	return (n + by/2) / by
}

// decimal writes millionths with as few decimals as say the same, but at least
// `least`.
func decimal(millionths int64, least int) string {
	sign := ""
	if millionths < 0 {
		sign, millionths = "-", -millionths
	}
	digits := strconv.FormatInt(millionths%1e6+1e6, 10)[1:]
	kept := max(len(strings.TrimRight(digits, "0")), least)
	text := sign + strconv.FormatInt(millionths/1e6, 10)
	if kept > 0 {
		text += "." + digits[:kept]
	}
	return text
}
