package workload

import (
	"errors"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// quantity is a Kubernetes resource quantity: a number and one of three ways to write its magnitude.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
type quantity struct {
	value  *big.Rat
	format byte // 'd' for 1500m and 2G, 'b' for 2Gi, 'e' for 2e9
}

var (
	quantityPattern = regexp.MustCompile(`^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([numkMGTPE]?|[KMGTPE]i|[eE][+-]?[0-9]+)$`)
	decimalSuffixes = []string{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"}
	binarySuffixes  = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}

	errNotQuantity   = errors.New("not a quantity")
	errQuantityRange = errors.New("out of range")
)

// maxExponent keeps 1e999999999 from filling the memory; the largest suffix is E, 10^18.
const maxExponent = 18

func parseQuantity(s string) (quantity, error) {
	m := quantityPattern.FindStringSubmatch(s)
	if m == nil || len(m[1]) > 40 {
		return quantity{}, errNotQuantity
	}
	value, ok := new(big.Rat).SetString(strings.TrimSuffix(m[1], "."))
	if !ok {
		return quantity{}, errNotQuantity
	}
	q := quantity{value: value, format: 'd'}
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
		return quantity{}, errQuantityRange
	}
	q.scale(10, exponent)
	return q.inRange()
}

func (q *quantity) scale(base int64, exponent int) {
	factor := new(big.Rat).SetInt64(base)
	if exponent < 0 {
		factor.Inv(factor)
	}
	for range max(exponent, -exponent) {
		q.value.Mul(q.value, factor)
	}
}

// inRange refuses what is beyond any machine (9 PB), where Kubernetes would cut to 2^63-1 without a word.
func (q quantity) inRange() (quantity, error) {
	if thousandths := new(big.Rat).Mul(q.value, big.NewRat(1000, 1)); new(big.Int).Quo(thousandths.Num(), thousandths.Denom()).IsInt64() {
		return q, nil
	}
	return quantity{}, errQuantityRange
}

// times is q × n as a whole number; false if it is none.
func (q quantity) times(n int64) (int64, bool) {
	product := new(big.Rat).Mul(q.value, big.NewRat(n, 1))
	return product.Num().Int64(), product.IsInt() && product.Num().IsInt64()
}

// String is q as the API server writes it back. Inputs in that form make no difference between what was sent and what a refresh reads.
// Only for what is a whole number of thousandths.
func (q quantity) String() string {
	if bytes, whole := q.times(1); q.format == 'b' && whole && (bytes >= 1024 || bytes <= -1024) {
		number, i := reduce(bytes, 1024, len(binarySuffixes)-1)
		return strconv.FormatInt(number, 10) + binarySuffixes[i]
	}
	thousandths, _ := q.times(1000)
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

// reduce divides number by base as often as that leaves a whole number, at most limit times.
func reduce(number, base int64, limit int) (int64, int) {
	i := 0
	for ; number != 0 && number%base == 0 && i < limit; i++ {
		number /= base
	}
	return number, i
}
