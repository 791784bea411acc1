import { Router, type Request, type Response } from 'express';
import { forgetSession } from './browser-session.ts';
import type { Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import { readForm } from './form.ts';
import { adminConsentPage, messagePage } from './pages.ts';
import { readScopes } from './resource-scopes.ts';
import { demandTenant } from './tenants.ts';
import { findApp, type App } from './world-model.ts';

/** Serves an administrator's consent, the page after a consent, and sign-out. */
export function consentEndpoints(directory: Directory): Router {
  const router = Router();
  router.get('/:tenant/v2.0/adminconsent', (req, res) => {
    withConsent(directory, req, res, ({ client, asked }) => {
      res.send(adminConsentPage(client, asked.permissions));
    });
  });
  router.post('/:tenant/v2.0/adminconsent', (req, res) => {
    withConsent(directory, req, res, (consent) => {
      if (readForm(req).get('consent') === 'granted') {
        grantForEverybody(directory, consent, res);
      } else {
        sendBack(res, consent, { error: 'access_denied', error_description: new EntraError(65004).description });
      }
    });
  });
  router.get('/consented', (req, res) => {
    const refused = req.query['error'];
    if (typeof refused === 'string') {
      res.send(messagePage('Nothing was changed', `Entra answered ${refused}.`));
    } else {
      res.send(messagePage('Thank you', 'The permission was given. Close this page and try again.'));
    }
  });
  router.get('/:tenant/oauth2/v2.0/logout', (req, res) => {
    forgetSession(res);
    const { post_logout_redirect_uri: next, state } = req.query;
    if (typeof next === 'string' && URL.canParse(next)) {
      res.redirect(withState(next, state));
    } else {
      res.send(messagePage('You are signed out'));
    }
  });
  return router;
}

/** MSAL's popup knows by the state which sign-out is over. */
function withState(uri: string, state: unknown): string {
  const url = new URL(uri);
  if (typeof state === 'string') {
    url.searchParams.set('state', state);
  }
  return url.href;
}

interface AdminConsent {
  readonly client: App;
  readonly tenantId: string;
  readonly asked: ReturnType<typeof readScopes>;
  readonly query: URLSearchParams;
}

function withConsent(
  directory: Directory,
  req: Request<{ tenant: string }>,
  res: Response,
  use: (consent: AdminConsent) => void,
): void {
  try {
    use(readConsent(directory, req));
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    res.status(400).send(messagePage('This does not work', error.description));
  }
}

function readConsent({ world, origin }: Directory, req: Request<{ tenant: string }>): AdminConsent {
  const query = new URL(req.originalUrl, origin).searchParams;
  const client = findApp(world, query.get('client_id') ?? '');
  if (!client) {
    throw new EntraError(700016);
  }
  const tenantId = demandTenant(world, req.params.tenant, client).id;
  return { client, tenantId, query, asked: readScopes(world, query.get('scope') ?? '') };
}

function grantForEverybody({ world }: Directory, consent: AdminConsent, res: Response): void {
  const { tenantId, client, asked } = consent;
  const { resource, permissions } = asked;
  const scopes = permissions.includes('.default') ? [...resource.scopes] : [...permissions];
  world.consents.push({
    tenant: tenantId,
    user: 'everyone',
    client: client.clientId,
    resource: resource.clientId,
    scopes,
  });
  sendBack(res, consent, { admin_consent: 'True', tenant: tenantId, scope: asked.asWritten.join(' ') });
}

function sendBack(res: Response, { query }: AdminConsent, fields: Record<string, string>): void {
  const state = query.get('state');
  const answer = new URLSearchParams({ ...fields, ...(state !== null && { state }) });
  res.redirect(`${query.get('redirect_uri') ?? '/consented'}?${answer.toString()}`);
}
