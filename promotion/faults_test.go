package promotion_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
)

// status answers so, with headers as pairs.
func status(code int, body string, headers ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// cutUpload reads half of what is sent and closes the connection.
func cutUpload(_ http.ResponseWriter, req *http.Request, _ http.Handler) {
	_, _ = io.CopyN(io.Discard, req.Body, req.ContentLength/2)
	panic(http.ErrAbortHandler)
}

// cutAnswer sends half of what was asked for and closes the connection.
func cutAnswer(w http.ResponseWriter, req *http.Request, next http.Handler) {
	said := answered(req, next)
	for k, v := range said.Header() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(said.Body.Len()))
	w.WriteHeader(said.Code)
	_, _ = w.Write(said.Body.Bytes()[:said.Body.Len()/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// cutAfter does what is asked for, and closes the connection instead of saying so.
func cutAfter(_ http.ResponseWriter, req *http.Request, next http.Handler) {
	answered(req, next)
	panic(http.ErrAbortHandler)
}

// otherBytes answers with as many bytes, one of which is another.
func otherBytes(w http.ResponseWriter, req *http.Request, next http.Handler) {
	said := answered(req, next)
	for k, v := range said.Header() {
		w.Header()[k] = v
	}
	b := said.Body.Bytes()
	if len(b) > 0 {
		b[len(b)/2] ^= 1
	}
	w.WriteHeader(said.Code)
	_, _ = w.Write(b)
}

func answered(req *http.Request, next http.Handler) *httptest.ResponseRecorder {
	said := httptest.NewRecorder()
	next.ServeHTTP(said, req)
	return said
}

// on faults the requests of a method whose path has a part, from the nth to the last of so many; 0 is for ever.
func on(method, part string, from, times int, f fault) func(*http.Request) fault {
	n := 0
	return func(req *http.Request) fault {
		if req.Method != method || !contains(req.URL.Path, part) {
			return nil
		}
		if n++; n < from || times > 0 && n >= from+times {
			return nil
		}
		return f
	}
}

// immutable refuses to write a tag that is there, as ECR does even where it would stay where it is.
func (h *hub) immutable(also func(*http.Request) fault) func(*http.Request) fault {
	return func(req *http.Request) fault {
		if m := path.FindStringSubmatch(req.URL.Path); m != nil && req.Method == http.MethodPut && h.tags[m[1]+":"+m[3]] != "" {
			return status(400, `{"errors":[{"code":"TAG_INVALID","message":"The image tag already exists and cannot be overwritten because the repository is immutable."}]}`)
		}
		return also(req)
	}
}
