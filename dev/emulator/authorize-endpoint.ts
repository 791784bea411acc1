import { randomUUID } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { readSession, rememberSession } from './browser-session.ts';
import { readClaimsRequest } from './claims-request.ts';
import { unixNow, type Directory } from './directory.ts';
import { EntraError } from './entra-error.ts';
import { readForm } from './form.ts';
import { randomHandle, type SignIn } from './grant-store.ts';
import { decideNextStep, type Answers, type InteractionRequest, type NextStep } from './interaction.ts';
import { formPostPage, interactionPage, messagePage } from './pages.ts';
import { demandRedirectUri } from './redirect-uri.ts';
import { demandMatchingResource } from './resource-parameter.ts';
import { readScopesToAsk } from './resource-scopes.ts';
import { clientInfo } from './token-reply.ts';
import { findApp, type App, type RedirectUri, type User } from './world-model.ts';

const CODE_LIFETIME_SECONDS = 600;

/** What `prompt=none` answers where a page would have to be shown. */
const SILENT_REFUSALS = {
  chooseUser: new EntraError(50058, { error: 'login_required' }),
  approveMfa: new EntraError(50076, { error: 'interaction_required' }),
  consent: new EntraError(65001, { error: 'consent_required' }),
};

/** Serves `/{tenant}/oauth2/v2.0/authorize`: GET shows a page or goes on, POST takes what the page asked. */
export function authorizeEndpoint(directory: Directory): Router {
  const router = Router();
  router.get('/:tenant/oauth2/v2.0/authorize', (req, res) => {
    authorize(directory, req, res);
  });
  router.post('/:tenant/oauth2/v2.0/authorize', (req, res) => {
    authorize(directory, req, res);
  });
  return router;
}

/** An authorization request whose client and redirect URI are known to be good, so that answers may go there. */
interface AuthorizationCall {
  readonly query: URLSearchParams;
  readonly tenant: string;
  readonly client: App;
  readonly redirect: RedirectUri;
  readonly res: Response;
}

function authorize(directory: Directory, req: Request<{ tenant: string }>, res: Response): void {
  const query = new URL(req.originalUrl, directory.origin).searchParams;
  try {
    const client = demandClient(directory, query);
    const call = {
      query,
      tenant: req.params.tenant,
      client,
      redirect: demandRedirectUri(client, query.get('redirect_uri') ?? ''),
      res,
    };
    answer(directory, call, req);
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    noteRefusal(res, error);
    res.status(400).send(messagePage('We cannot sign you in', error.description));
  }
}

function answer(directory: Directory, call: AuthorizationCall, req: Request<{ tenant: string }>): void {
  const form = readForm(req);
  try {
    if (form.has('cancel')) {
      throw new EntraError(65004, { text: 'The user cancelled the sign-in.' });
    }
    const request = readInteraction(directory, call, req);
    const answers = readAnswers(form);
    takeStep(directory, call, { step: decideNextStep(directory, request, answers), answers });
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    noteRefusal(call.res, error);
    sendToClient(call, { error: redirectError(error), error_description: error.description });
  }
}

interface Progress {
  readonly step: NextStep;
  readonly answers: Answers;
}

function takeStep(directory: Directory, call: AuthorizationCall, { step, answers }: Progress): void {
  call.res.locals['step'] = step.page;
  if (step.page === 'done') {
    rememberSession(directory.grants, call.res, step.signIn);
    sendCode(directory, call, step.user, step.signIn);
    return;
  }
  if (call.query.get('prompt') === 'none') {
    const refusal = SILENT_REFUSALS[step.page];
    noteRefusal(call.res, refusal);
    sendToClient(call, { error: refusal.error, error_description: refusal.description });
    return;
  }
  call.res.send(interactionPage(step, call.client, { ...answers }));
}

function demandClient({ world }: Directory, query: URLSearchParams): App {
  const clientId = query.get('client_id') ?? '';
  const client = findApp(world, clientId);
  if (client?.clientId !== clientId) {
    throw new EntraError(700016);
  }
  return client;
}

function readInteraction(
  directory: Directory,
  { query, tenant, client, redirect }: AuthorizationCall,
  req: Request<object>,
): InteractionRequest {
  if (query.get('response_type') !== 'code') {
    throw new EntraError(90013, { text: 'Only response_type=code is supported.' });
  }
  if (redirect.kind === 'spa' && !query.has('code_challenge')) {
    throw new EntraError(9002325);
  }
  const [scopes, ...furtherScopes] = readScopesToAsk(directory.world, query.get('scope') ?? '');
  demandMatchingResource(directory.switches, scopes.resource, query.getAll('resource'));
  return {
    client,
    tenant,
    scopes,
    furtherScopes,
    claims: readClaimsRequest(query.get('claims') ?? undefined),
    prompt: query.get('prompt') ?? undefined,
    loginHint: query.get('login_hint') ?? undefined,
    session: readSession(directory.grants, req),
  };
}

/** For the record of the request. */
function noteRefusal(res: Response, { code, error }: EntraError): void {
  res.locals['refusal'] = `AADSTS${code} ${error}`;
}

/** What a sign-in page sends back. */
export function readAnswers(form: URLSearchParams): Answers {
  return {
    user: form.get('user') ?? undefined,
    mfa: form.get('mfa') ?? undefined,
    consent: form.get('consent') ?? undefined,
  };
}

function sendCode({ grants }: Directory, call: AuthorizationCall, user: User, signIn: SignIn): void {
  const { query, client, redirect } = call;
  const code = randomHandle();
  grants.codes.set(code, {
    signIn,
    clientId: client.clientId,
    redirectUri: redirect.uri,
    kind: redirect.kind,
    scope: query.get('scope') ?? '',
    claims: query.get('claims') ?? undefined,
    nonce: query.get('nonce') ?? undefined,
    codeChallenge: query.get('code_challenge') ?? undefined,
    codeChallengeMethod: query.get('code_challenge_method') ?? 'plain',
    expiresAt: unixNow() + CODE_LIFETIME_SECONDS,
    redeemed: false,
  });
  const info = query.get('client_info') === '1' ? { client_info: clientInfo(user) } : {};
  sendToClient(call, { code, ...info, session_state: randomUUID() });
}

/** The authorization endpoint knows fewer errors than the token endpoint. */
function redirectError({ error }: EntraError): string {
  return error === 'invalid_grant' ? 'access_denied' : error;
}

function sendToClient({ query, redirect, res }: AuthorizationCall, answerFields: Record<string, string>): void {
  const fields = new URLSearchParams(answerFields);
  const state = query.get('state');
  if (state !== null) {
    fields.set('state', state);
  }
  const mode = query.get('response_mode') ?? 'query';
  if (mode === 'form_post') {
    res.send(formPostPage(redirect.uri, fields));
  } else {
    res.redirect(`${redirect.uri}${mode === 'fragment' ? '#' : '?'}${fields.toString()}`);
  }
}
