import { randomUUID } from 'node:crypto';
import { Router, type RequestHandler, type Response } from 'express';
import { issuerV1, issuerV2, type Directory } from './directory.ts';
import { describeEntraError, EntraError } from './entra-error.ts';
import { SHARED_TENANTS } from './tenants.ts';
import { findTenant } from './world-model.ts';

const CLAIMS_SUPPORTED = (
  'sub iss cloud_instance_name cloud_instance_host_name cloud_graph_host_name msgraph_host aud exp iat auth_time acr ' +
  'nonce preferred_username name tid ver at_hash c_hash email'
).split(' ');

/** Serves the OpenID configuration, the keys and the instance metadata. */
export function discoveryEndpoints(directory: Directory): Router {
  const router = Router();
  const { origin, keys } = directory;
  router.use(
    ['/:tenant/v2.0/.well-known', '/:tenant/.well-known', '/:tenant/discovery', '/common/discovery/instance'],
    allowEveryOrigin,
    failWhenSwitched(directory),
  );
  router.get('/common/discovery/instance', (_req, res) => {
    res.json(describeInstance(origin));
  });
  router.get('/:tenant/v2.0/.well-known/openid-configuration', (req, res) => {
    withTenant(directory, req.params.tenant, res, (tenant) => {
      const jwksUri = `${origin}/${req.params.tenant}/discovery/v2.0/keys`;
      return describeConfiguration(origin, req.params.tenant, issuerV2(origin, tenant), jwksUri);
    });
  });
  router.get('/:tenant/.well-known/openid-configuration', (req, res) => {
    withTenant(directory, req.params.tenant, res, (tenant) => {
      const jwksUri = `${origin}/${req.params.tenant}/discovery/keys`;
      return describeConfiguration(origin, req.params.tenant, issuerV1(origin, tenant), jwksUri);
    });
  });
  router.get('/:tenant/discovery/v2.0/keys', (_req, res) => {
    const issuer = issuerV2(origin, '{tenantid}');
    res.json({ keys: keys.publishedKeys().map((key) => ({ ...key, issuer })) });
  });
  router.get('/:tenant/discovery/keys', (_req, res) => {
    res.json({ keys: keys.publishedKeys() });
  });
  return router;
}

const allowEveryOrigin: RequestHandler = (_req, res, next) => {
  res.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET, OPTIONS',
    'Cache-Control': 'max-age=86400, private',
  });
  next();
};

function failWhenSwitched({ switches }: Directory): RequestHandler {
  return (_req, res, next) => {
    if (switches.keys === 'up') {
      next();
    } else if (switches.keys === 'down') {
      res.status(503).type('html').send('<h2>Service unavailable</h2>');
    }
  };
}

function withTenant(directory: Directory, segment: string, res: Response, describe: (tenant: string) => object): void {
  const tenant = SHARED_TENANTS.includes(segment) ? '{tenantid}' : findTenant(directory.world, segment)?.id;
  if (tenant === undefined) {
    const frame = { origin: directory.origin, switches: directory.switches, correlationId: randomUUID() };
    res.status(400).json(describeEntraError(new EntraError(90002), frame));
    return;
  }
  res.json(describe(tenant));
}

function describeInstance(origin: string): object {
  const host = new URL(origin).host;
  return {
    tenant_discovery_endpoint: `${origin}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

function describeConfiguration(origin: string, segment: string, issuer: string, jwksUri: string): object {
  const base = `${origin}/${segment}/oauth2/v2.0`;
  return {
    token_endpoint: `${base}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: jwksUri,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer,
    request_uri_parameter_supported: false,
    userinfo_endpoint: 'https://graph.microsoft.com/oidc/userinfo',
    authorization_endpoint: `${base}/authorize`,
    device_authorization_endpoint: `${base}/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${base}/logout`,
    claims_supported: CLAIMS_SUPPORTED,
    kerberos_endpoint: `${origin}/${segment}/kerberos`,
    tenant_region_scope: null,
    cloud_instance_name: 'microsoftonline.com',
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: 'graph.microsoft.com',
    rbac_url: 'https://pas.windows.net',
  };
}
