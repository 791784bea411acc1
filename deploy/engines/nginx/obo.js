// Header filters of njs. nginx keeps the challenge of a 401 that `error_page` catches and adds it to the next answer,
// whatever that is; `proxy_hide_header` does not stop it.

/**
 * Breaks an interim answer of the API off (1xx): nginx takes it for the whole answer, and the true one would pass behind it
 * with all of its headers.
 */
function final(r) {
  if (r.status < 200 && r.status !== 101) {
    throw new Error(`the API sent an interim answer, ${r.status}`);
  }
}

/** No challenge: for the answers of the API after the first one, and of nginx. */
function none(r) {
  final(r);
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

export default { final, none, ours };
