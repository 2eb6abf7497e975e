package quantity

import (
	"errors"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// The canonical forms are those of k8s.io/apimachinery's own tests of Quantity.
func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "0.0": "0", "1": "1", "100m": "100m", "0.1": "100m", ".5": "500m", "1.": "1", "1.5": "1500m", "+2": "2", "-1": "-1",
		"1000m": "1", "1000": "1k", "1500": "1500", "1000000": "1M", "0.5Gi": "512Mi", "1024Mi": "1Gi", "1000Ki": "1000Ki", "1024": "1024",
		"1023Ki": "1023Ki", "512Ki": "512Ki", "1Ki": "1Ki", "0.5Ki": "512", "1e3": "1e3", "1E3": "1e3", "1E": "", "1k": "1k", "12e6": "12e6",
		"1e-3": "1e-3", "100e-3": "100e-3", "1e0": "1", "1T": "1T", "2P": "2P", "1Pi": "1Pi",
	} {
		q, err := Parse(in)
		if want == "" {
			if !errors.Is(err, ErrRange) {
				t.Errorf("%q: %v %v", in, q, err)
			}
			continue
		}
		if err != nil || q.String() != want {
			t.Errorf("%q: %q %v, want %q", in, q, err, want)
		}
	}
	for _, in := range []string{"", "m", "1 Gi", "1gi", "1KI", "1K", "1ki", "1mi", "1e", "1e+", "0x10", "1,5", "--1", "1..5", ".", "1Gi ", "1_000", "Inf", "1/2", "٣"} {
		if q, err := Parse(in); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: %v %v", in, q, err)
		}
	}
	if _, err := Parse("1e999999999"); !errors.Is(err, ErrRange) {
		t.Errorf("1e999999999: %v", err)
	}
}

func TestItIsWorthWhatItsSuffixSays(t *testing.T) {
	powers := map[string]*big.Rat{
		"m": big.NewRat(1, 1000), "": big.NewRat(1, 1), "k": big.NewRat(1000, 1), "M": big.NewRat(1e6, 1), "G": big.NewRat(1e9, 1),
		"Ki": big.NewRat(1<<10, 1), "Mi": big.NewRat(1<<20, 1), "Gi": big.NewRat(1<<30, 1), "e3": big.NewRat(1000, 1), "E-2": big.NewRat(1, 100),
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1e6).Draw(t, "n")
		tenths := rapid.Int64Range(0, 9).Draw(t, "tenths")
		suffix := rapid.SampledFrom([]string{"m", "", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E-2"}).Draw(t, "suffix")
		q, err := Parse(fmt.Sprintf("%d.%d%s", n, tenths, suffix))
		want := new(big.Rat).Mul(big.NewRat(10*n+tenths, 10), powers[suffix])
		if err != nil || q.value.Cmp(want) != 0 {
			t.Fatalf("%v %v, want %v", q.value, err, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"100m", "1.5Gi", "1e3", "12E-2", "-0.5Ki", "1E", ".5k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, err := Parse(s)
		if err != nil {
			return
		}
		if _, whole := q.Times(1000); !whole {
			return
		}
		again, err := Parse(q.String())
		if err != nil || again.value.Cmp(q.value) != 0 || again.String() != q.String() {
			t.Errorf("%q is written %q, which is read as %v (%v)", s, q, again, err)
		}
	})
}
