// Package quantity reads Kubernetes resource quantities, without Kubernetes' own packages.
package quantity

import (
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Quantity is a Kubernetes resource quantity: a number and one of three ways to write its magnitude.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
type Quantity struct {
	value  *big.Rat
	format byte // 'd' for 1500m and 2G, 'b' for 2Gi, 'e' for 2e9
}

var (
	pattern         = regexp.MustCompile(`^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([numkMGTPE]?|[KMGTPE]i|[eE][+-]?[0-9]+)$`)
	decimalSuffixes = []string{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"}
	binarySuffixes  = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}
)

var (
	// ErrSyntax is about a text that is no quantity.
	ErrSyntax = errors.New("not a quantity")
	// ErrRange is about a quantity beyond any machine.
	ErrRange = errors.New("out of range")
)

// maxExponent keeps 1e999999999 from filling the memory; the largest suffix is E, 10^18.
const maxExponent = 18

// Parse reads s; the error is ErrSyntax or ErrRange.
func Parse(s string) (Quantity, error) {
	m := pattern.FindStringSubmatch(s)
	if m == nil || len(m[1]) > 40 {
		return Quantity{}, ErrSyntax
	}
	value, ok := new(big.Rat).SetString(strings.TrimSuffix(m[1], "."))
	if !ok {
		return Quantity{}, ErrSyntax
	}
	q := Quantity{value: value, format: 'd'}
	if i := slices.Index(decimalSuffixes, m[2]); i >= 0 {
		q.scale(1000, i-3)
		return q.inRange()
	}
	if i := slices.Index(binarySuffixes, m[2]); i >= 0 {
		q.format = 'b'
		q.scale(1024, i)
		return q.inRange()
	}
	q.format = 'e'
	exponent, err := strconv.Atoi(m[2][1:])
	if err != nil || exponent > maxExponent || exponent < -maxExponent {
		return Quantity{}, ErrRange
	}
	q.scale(10, exponent)
	return q.inRange()
}

func (q *Quantity) scale(base int64, exponent int) {
	factor := new(big.Rat).SetInt64(base)
	if exponent < 0 {
		factor.Inv(factor)
	}
	for range max(exponent, -exponent) {
		q.value.Mul(q.value, factor)
	}
}

// inRange refuses what is beyond any machine (9 PB), where Kubernetes would cut to 2^63-1 without a word.
func (q Quantity) inRange() (Quantity, error) {
	if thousandths := new(big.Rat).Mul(q.value, big.NewRat(1000, 1)); new(big.Int).Quo(thousandths.Num(), thousandths.Denom()).IsInt64() {
		return q, nil
	}
	return Quantity{}, ErrRange
}

// Times is q × n as a whole number; false if it is none.
func (q Quantity) Times(n int64) (int64, bool) {
	product := new(big.Rat).Mul(q.value, big.NewRat(n, 1))
	return product.Num().Int64(), product.IsInt() && product.Num().IsInt64()
}

// String is q as the API server writes it back. Inputs in that form make no difference between what was sent and what a refresh reads.
// Only for what is a whole number of thousandths.
func (q Quantity) String() string {
	if bytes, whole := q.Times(1); q.format == 'b' && whole && (bytes >= 1024 || bytes <= -1024) {
		number, i := reduce(bytes, 1024, len(binarySuffixes)-1)
		return strconv.FormatInt(number, 10) + binarySuffixes[i]
	}
	thousandths, _ := q.Times(1000)
	number, i := reduce(thousandths, 1000, 7)
	exponent := i - 1
	if q.format == 'e' {
		if exponent == 0 || number == 0 {
			return strconv.FormatInt(number, 10)
		}
		return strconv.FormatInt(number, 10) + "e" + strconv.Itoa(3*exponent)
	}
	if number == 0 {
		return "0"
	}
	return strconv.FormatInt(number, 10) + decimalSuffixes[exponent+3]
}

// Bytes is n bytes in the largest binary unit that keeps it whole.
func Bytes(n int64) Quantity {
	return Quantity{value: new(big.Rat).SetInt64(n), format: 'b'}
}

// reduce divides number by base as often as that leaves a whole number, at most limit times.
func reduce(number, base int64, limit int) (int64, int) {
	i := 0
	for ; number != 0 && number%base == 0 && i < limit; i++ {
		number /= base
	}
	return number, i
}
