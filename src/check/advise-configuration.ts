import { namePublicUrl } from '../config/fill-defaults.ts';
import type { GatewayConfig } from '../config/load-config.ts';
import { Authority } from '../entra/authority.ts';
import { isLoopback } from '../network/loopback.ts';
import { kindOf } from './check-credential.ts';
import { fail, pass, warn, type Row } from './row.ts';

/** What is allowed in gateway.yaml and still not wise. */
export function adviseConfiguration({ server, identity, downstreams }: GatewayConfig): Row[] {
  return [
    advisePublicUrl(server),
    adviseTrustedProxies(server.trustedProxies),
    adviseConsentRedirect(identity.consentRedirectUri),
    adviseCredential(identity.credential),
    adviseClients(identity.allowedClients),
    ...adviseDocumentationPage(server.docs, identity.allowedClients),
    adviseAudiences(identity),
    ...Object.entries(downstreams).flatMap(([name, { scopes }]) => adviseGraph(name, scopes, identity)),
  ];
}

const EVERY_ADDRESS: readonly string[] = ['0.0.0.0', '::'];

function advisePublicUrl({ publicUrl, host, port, tls }: GatewayConfig['server']): Row {
  const check = 'public address';
  const key = 'server.publicUrl';
  if (publicUrl === undefined && EVERY_ADDRESS.includes(host)) {
    return warn(check, `not set; the default names ${host}`, {
      reason: 'clients cannot use that address, and it stands in the metadata and in every challenge',
      remedy: 'set the address by which clients reach the gateway',
      key,
    });
  }
  const url = namePublicUrl({ publicUrl, host, tls }, port);
  const { protocol, hostname } = new URL(url);
  if (protocol === 'http:' && !isLoopback(hostname)) {
    return warn(check, url, {
      reason: 'the tokens of the callers travel in clear',
      remedy: 'set server.tls, or let a proxy end TLS before the gateway; and set the https address',
      key,
    });
  }
  return pass(check, url);
}

function adviseTrustedProxies(cidrs: readonly string[]): Row {
  const check = 'trusted proxies';
  const everyone = cidrs.filter((cidr) => /\/0+$/.test(cidr));
  if (everyone.length > 0) {
    return fail(check, everyone.join(', '), {
      reason: 'every caller can say that it comes from another address',
      remedy: 'name only the networks of your own proxies',
      key: 'server.trustedProxies',
    });
  }
  return pass(check, cidrs.length === 0 ? 'none: forwarding headers of callers are replaced' : cidrs.join(', '));
}

function adviseConsentRedirect(uri: string | undefined): Row {
  const check = 'consent';
  if (uri !== undefined) {
    return pass(check, `users come back to ${uri}`);
  }
  return warn(check, 'no redirect address', {
    reason: 'problems about missing consent carry the scopes but no consentUri',
    remedy: 'set a page of yours that is a redirect URI of the app registration',
    key: 'identity.consentRedirectUri',
  });
}

function adviseCredential(settings: GatewayConfig['identity']['credential']): Row {
  const check = 'kind of credential';
  const kind = kindOf(settings);
  if (kind !== 'secret' && kind !== 'secretFile') {
    return pass(check, kind);
  }
  return warn(check, kind, {
    reason: 'a secret is sent with every exchange, can be copied unseen, and expires',
    remedy: 'use managedIdentity, federatedTokenFile or certificate',
    key: 'identity.credential',
  });
}

function adviseClients(clients: readonly string[]): Row {
  const found =
    clients.length === 0
      ? 'any client with a token for this API may call (identity.allowedClients is empty)'
      : `${clients.length} may call`;
  return pass('allowed clients', found);
}

function adviseDocumentationPage(docs: GatewayConfig['server']['docs'], clients: readonly string[]): Row[] {
  if (typeof docs !== 'object') {
    return [];
  }
  const check = 'documentation page';
  if (clients.length === 0 || clients.includes(docs.clientId)) {
    return [pass(check, `people sign in as users of ${docs.clientId}`)];
  }
  return [
    warn(check, docs.clientId, {
      reason: 'it is not among the allowed clients, so every call of who signs in on the page is refused',
      remedy: `add ${docs.clientId}`,
      key: 'identity.allowedClients',
    }),
  ];
}

/** Tokens of v2 name the API by its client id, in small letters, and in no other way. */
function adviseAudiences({ audiences, clientId }: GatewayConfig['identity']): Row {
  const check = 'audiences';
  const found = audiences.join(', ');
  const own = clientId.toLowerCase();
  if (audiences.includes(own)) {
    return pass(check, found);
  }
  return warn(check, found, {
    reason: 'the client id is not among them, so every v2 token is refused: its `aud` is always the client id',
    remedy: `add ${own}, or leave the key out for the default`,
    key: 'identity.audiences',
  });
}

/** A cloud gives no tokens for the Graph of another one. */
function adviseGraph(name: string, scopes: readonly string[], identity: GatewayConfig['identity']): Row[] {
  const authority = new Authority(identity.authority, identity.tenant);
  const resource = authority.resourceOf(scopes[0] ?? '');
  if (!authority.isForeignGraph(resource)) {
    return [];
  }
  const advice = {
    reason: `it is Microsoft Graph of another cloud than ${authority.origin}, which gives no tokens for it`,
    remedy: `use ${authority.graph}, in baseUrl as well, or write the scopes without an address`,
    key: `downstreams.${name}.scopes`,
  };
  return [warn(`downstream ${name}: cloud`, resource, advice)];
}
