import type { Failure } from '../../src/failures.ts';

/** What docs/answers.md says about a failure beyond its row of `FAILURES`. */
interface AnswerGuide {
  readonly when: string;
  readonly client: string;
  readonly operator: string;
}

const NOTHING = 'Nothing.';
const BUG_OF_CLIENT = 'Nothing; the client has to be fixed.';

/** A text for every failure; a failure without one does not compile. */
export const ANSWER_GUIDE = {
  missing_token: {
    when: 'The request has no `Authorization` header, or one of another scheme than `Bearer`. Tokens in the query or the body are not looked at.',
    client:
      'Get a token for the scopes of the challenge and send it as `Authorization: Bearer <token>`. An operation that is for apps only names none.',
    operator: NOTHING,
  },
  malformed_authorization: {
    when: 'There are two `Authorization` headers, or what follows `Bearer` is not one token.',
    client: 'Correct the header. Sending the same request again will not help.',
    operator: `${BUG_OF_CLIENT} A proxy that adds a header of its own looks the same.`,
  },
  invalid_token: {
    when: 'The token is expired, not yet valid, revoked, badly signed, for another API, of another tenant, or no access token of a user or an app at all; it is bound to a key and `identity.boundTokens` is `refuse`; or Entra no longer takes it for an exchange.',
    client:
      'Ask Entra for a fresh token without the cache, then call again once. If that fails too, let the user sign in.',
    operator:
      'Nothing for single cases; the log has the `reason` and, where the signature was good, the `aud`, `iss` and `tid` of the token. If every caller meets it, compare `identity.tenant`, `identity.clientId` and `identity.audiences` with the tokens, and the clock.',
  },
  insufficient_scope: {
    when: 'The token lacks a scope or an app role that the contract asks for, or an app called an operation that is for users.',
    client:
      'Ask Entra for the scopes of the challenge, with the user at the screen, because consent may be due. Without a change of scopes or roles the answer stays the same.',
    operator: 'Assign the app role, or consent to the scope for the client, if the caller should have it.',
  },
  access_denied: {
    when: "The tenant or the client is not on the gateway's list, or Entra denies the user for good: a disabled account, no assignment to the app, a policy that blocks. Or an app calls a downstream that has an agent identity (`downstreams.*.agent`), and Entra or the API asks that agent for claims, which nobody can give.",
    client: 'Stop, and show `detail`. Signing in again will not change it.',
    operator:
      'The log names the list or the Entra code. Add to `identity.allowedTenants` or `identity.allowedClients`, or send the user to the administrator of the tenant.',
  },
  insufficient_claims: {
    when: 'Entra or the API behind the gateway wants more proof of the user, such as MFA or a new sign-in, or the operation needs an authentication context (`x-auth-context`).',
    client:
      'Decode `claims`, ask Entra for a token **for this API** with them, silently first, then with the user at the screen; call again with the new token. [clients.md](clients.md) has the code.',
    operator: 'Nothing. If many users meet it, look at the Conditional Access policies of the API behind the gateway.',
  },
  claims_as_scope: {
    when: 'A client of an MCP server needs more proof, did not declare the capability `cp1`, and gets its tokens from the authorization façade ([mcp.md](mcp.md)). The last scope of the challenge stands for the claims.',
    client:
      'Ask the authorization server for the scopes of the challenge, then try again. MCP clients do so by themselves.',
    operator: NOTHING,
  },
  interaction_required: {
    when: 'Entra wants the user to do something, or the API behind the gateway asks for claims that may not be passed on, so there are no claims to relay.',
    client:
      'Let the user sign in at the screen, without a silent try, then call again. `suberror` is the word of Entra, if it gave one.',
    operator: 'Nothing. If it is frequent, the log has the Entra codes.',
  },
  consent_required: {
    when: 'Neither the user nor an administrator has consented to what the gateway asks of the API behind it, or, with many tenants, the tenant of the user does not have that API yet (AADSTS500011, AADSTS650052). An exchange cannot show a consent screen.',
    client:
      'Open `consentUri` for the user, get a fresh token past the cache, then call again: the gateway remembers the refusal of a token for up to a minute. Without a `consentUri`, show that an administrator has to consent to `scopes`. Never retry by itself.',
    operator:
      "Grant admin consent for the gateway's permissions, or list the client in `knownClientApplications`. Set `identity.consentRedirectUri` so that callers get a `consentUri`. Where the downstream has an `agent`, there is none: consent for its blueprint, and let it inherit the permissions.",
  },
  client_not_capable: {
    when: 'A claims challenge is due, the token does not say that the client can take one (`xms_cc`), and `identity.requireClientCapability` is on, or the call is one of an MCP server without an authorization façade ([mcp.md](mcp.md)).',
    client: 'Declare the capability: `clientCapabilities: ["cp1"]`. Then get a new token.',
    operator:
      "List `xms_cc` in the optional claims of the gateway's registration; without it no client can show its capability. For MCP servers, set `mcp.authorizationServer: facade`.",
  },
  step_up_unsatisfiable: {
    when: 'The same challenge, or the same refusal of Entra without claims, is due for the third time within ten minutes though the caller came back with a newer token each time.',
    client: 'Stop, and show `detail`. More sign-ins will not help.',
    operator:
      'Look for a Conditional Access policy that the gateway itself cannot meet, such as one about locations, and exclude the gateway or its addresses.',
  },
  invalid_request: {
    when: 'A path, query or header parameter or the JSON body does not fit the contract; or the request cannot be read as HTTP.',
    client: 'Correct the request. `errors` lists every fault with its place.',
    operator: `${BUG_OF_CLIENT} If the client is right, correct the contract.`,
  },
  call_not_described: {
    when: 'An engine asks the authorization service about a call, and a header that describes the call is missing, comes twice, or makes no sense.',
    client: 'Stop, and show the `requestId`. Nothing in the request is wrong.',
    operator: 'Compare the configuration of the engine with [engines.md](engines.md). The log has the `reason`.',
  },
  header_mismatch: {
    when: 'A message to an MCP server that has rules for its tools says something else than its `Mcp-Method` or `Mcp-Name`.',
    client: 'Send in the headers what the message says.',
    operator: BUG_OF_CLIENT,
  },
  undecidable_message: {
    when: 'A request to an MCP server that has rules for its tools is not one message that every reader reads alike: a batch, another type than JSON, a `Content-Encoding`, a member that is named twice, a tool without a name ([mcp.md](mcp.md)). The `id` is that of the message where it can be read.',
    client: 'Send one message of JSON-RPC in a POST, as `application/json` in UTF-8.',
    operator: BUG_OF_CLIENT,
  },
  unsupported_media_type: {
    when: 'The body is checked against the contract, but comes in a form in which two readers could read it differently: a `charset` other than UTF-8.',
    client: 'Send the body as JSON in UTF-8.',
    operator: BUG_OF_CLIENT,
  },
  upgrade_required: {
    when: 'A WebSocket operation (`x-upgrade: websocket`) was called without an upgrade, or an upgrade to a WebSocket came to an operation that is none.',
    client: 'Open a WebSocket where the contract has one, and nowhere else.',
    operator: BUG_OF_CLIENT,
  },
  target_too_long: {
    when: 'The path and the query alone are larger than `server.headLimit`.',
    client: 'Send a shorter path and query.',
    operator: 'Raise `server.headLimit` if addresses of that length are right.',
  },
  not_found: {
    when: 'The contract has no operation with this path.',
    client: 'Correct the path; `GET /openapi.json` lists all operations.',
    operator: BUG_OF_CLIENT,
  },
  method_not_allowed: {
    when: 'The contract has the path, but not with this method.',
    client: 'Use a method that `Allow` lists.',
    operator: BUG_OF_CLIENT,
  },
  request_timeout: {
    when: 'The head or the body of the request stopped arriving.',
    client: 'Send the request again, without long pauses.',
    operator: 'Nothing for single cases. If it is frequent, look at the network before the gateway.',
  },
  payload_too_large: {
    when: 'The body is larger than `server.bodyLimit`, or a form of native authentication than 16 kB.',
    client: 'Send a smaller body.',
    operator: 'Raise `server.bodyLimit` if bodies of that size are right.',
  },
  too_many_requests: {
    when: 'One client address made more requests to native authentication than `nativeAuth.rateLimit` allows, or to the authorization façade of MCP servers than `mcp.rateLimit` allows.',
    client: 'Wait as long as `Retry-After` says, then send the same request again.',
    operator:
      'Nothing for single cases. If people share an address, raise the limit; behind a proxy of your own, list it in `server.trustedProxies`, or all count as one.',
  },
  headers_too_large: {
    when: 'The request has more than 1,000 headers, or its head is larger than `server.headLimit`.',
    client: 'Send fewer headers. Cookies, which the gateway never needs, are the usual cause.',
    operator: BUG_OF_CLIENT,
  },
  overloaded: {
    when: 'The gateway has as many requests under way as `server.maxInFlight` allows, holds as many bodies as it may, or has no file descriptor left.',
    client: 'Wait as long as `Retry-After` says, then send the same request again.',
    operator:
      'Add replicas or workers, or raise the limit that the log names. If one client causes it, stop that client.',
  },
  gateway_misconfigured: {
    when: 'Entra refuses the gateway itself: its secret or certificate, its registration, or the scopes of a downstream. Or it does not know the signature of tokens that the gateway finds good, three times in a row (AADSTS50013): the registration has a signing key of its own.',
    client: 'Stop, and show the `requestId`. Nothing in the request is wrong.',
    operator: 'The log line of the request has the Entra code, what it means and the `remedy`. Act at once.',
  },
  internal_error: {
    when: 'A fault of the gateway.',
    client: 'Show the `requestId`.',
    operator: 'The log line of the request has the stack. Report it.',
  },
  identity_unavailable: {
    when: 'Entra throttles, is down or slow, or sends answers that cannot be read, and the gateway holds no token for this call.',
    client: 'Wait as long as `Retry-After` says, then send the same request again. No sign-in helps.',
    operator: 'If it lasts, look at the service health of Entra and at `gateway_exchanges_total`.',
  },
  downstream_rejected_token: {
    when: 'The API behind the gateway answered 401 to the exchanged token and asked for no claims; or it refused the token that the gateway uses for applications, and then a newly fetched one as well.',
    client: 'Stop, and show the `requestId`. Another token of the user changes nothing.',
    operator: "Compare the downstream's `scopes` in `gateway.yaml` with the audience that it expects.",
  },
  downstream_unreachable: {
    when: 'The API behind the gateway cannot be connected to, or broke the connection before its answer was complete.',
    client: 'Try again later; a request that changes something may have arrived.',
    operator: 'Look at `baseUrl`, at name resolution and at the API itself. The log has the network error.',
  },
  downstream_invalid_response: {
    when: "The API behind the gateway sent what is not HTTP, or a head that is larger than the downstream's `headLimit`.",
    client: 'Stop, and show the `requestId`. Nothing in the request is wrong.',
    operator:
      'Look at the API; the log has the `reason`. Raise `headLimit` of the downstream if its heads may be that large.',
  },
  downstream_timeout: {
    when: "The API behind the gateway took longer than the downstream's `timeout`.",
    client: 'Try again later; a request that changes something may have arrived.',
    operator: 'Look at the API; raise `timeout.response` if its answers may take that long.',
  },
  downstream_unavailable: {
    when: 'Several calls in a row could not reach the API behind the gateway, so that none is made for a while.',
    client: 'Wait as long as `Retry-After` says, then send the same request again.',
    operator: 'Look at the API and the network to it. Calls go on by themselves as soon as one gets through.',
  },
} as const satisfies Record<Failure, AnswerGuide>;
