package edge

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// The cookies by which clients stick. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
const (
	groupCookie       = "AWSALBTG"
	targetCookie      = "AWSALB"
	applicationCookie = "AWSALBAPP-0"
	// crossOrigin is appended to the name of the second cookie, for requests of pages of other origins.
	crossOrigin = "CORS"
)

// token stands for a target group or a target in a cookie. Those of AWS are encrypted; this one tells no more, and is the same in
// every run, so that clients stick through a restart.
func token(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

// sent are the values of the cookies of that name, or of its twin for other origins.
func sent(r *http.Request, name string) []string {
	var out []string
	for _, c := range r.Cookies() {
		if c.Name == name || c.Name == name+crossOrigin {
			out = append(out, c.Value)
		}
	}
	return out
}

// cookies make a client stick for that long: one for every browser, and one for requests of pages of other origins.
func cookies(name, value string, lasts time.Duration, secure bool, now time.Time) []*http.Cookie {
	c := http.Cookie{Name: name, Value: value, Path: "/"}
	if lasts > 0 {
		c.Expires = now.Add(lasts).UTC()
	}
	if name == applicationCookie {
		return []*http.Cookie{&c}
	}
	other := c
	other.Name += crossOrigin
	other.SameSite, other.Secure = http.SameSiteNoneMode, secure
	return []*http.Cookie{&c, &other}
}
