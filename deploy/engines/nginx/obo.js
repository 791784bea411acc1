// Header filters of njs. nginx keeps the challenge of a 401 that `error_page` catches and adds it to the next answer,
// whatever that is; `proxy_hide_header` does not stop it.

/** No challenge: for the answers of the API and of nginx. */
function none(r) {
  delete r.headersOut['WWW-Authenticate'];
}

/** The challenge of the refusal that is passed on, if it has one. */
function ours(r) {
  const challenge = r.variables.upstream_http_www_authenticate;
  if (challenge) {
    r.headersOut['WWW-Authenticate'] = challenge;
  } else {
    delete r.headersOut['WWW-Authenticate'];
  }
}

export default { none, ours };
