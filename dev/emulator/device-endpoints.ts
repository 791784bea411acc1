import { randomInt, randomUUID } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import { readAnswers } from './authorize-endpoint.ts';
import { readSession, rememberSession } from './browser-session.ts';
import { readClaimsRequest } from './claims-request.ts';
import { unixNow, type Directory } from './directory.ts';
import { describeEntraError, EntraError } from './entra-error.ts';
import { readForm } from './form.ts';
import { randomHandle, type DeviceCode } from './grant-store.ts';
import { decideNextStep } from './interaction.ts';
import { simulateOutage } from './outage.ts';
import { deviceCodePage, interactionPage, messagePage } from './pages.ts';
import { readScopes } from './resource-scopes.ts';
import { demandParameter } from './token-request.ts';
import { findApp, type App } from './world-model.ts';

const LIFETIME_SECONDS = 900;
const USER_CODE_LETTERS = 'BCDFGHJKLMNPQRSTVWXYZ23456789';
const PAGE_PATH = '/common/oauth2/deviceauth';

/** Serves the device code endpoint and the page where a person enters the code. */
export function deviceEndpoints(directory: Directory): Router {
  const router = Router();
  router.post('/:tenant/oauth2/v2.0/devicecode', (req, res, next) => {
    simulateOutage(directory.switches, res, 'none')
      .then((answered) => {
        if (!answered) {
          startFlow(directory, req, res);
        }
      })
      .catch(next);
  });
  router.get(PAGE_PATH, (req, res) => {
    const { user_code: userCode } = req.query;
    res.send(deviceCodePage(typeof userCode === 'string' ? userCode : ''));
  });
  router.post(PAGE_PATH, (req, res) => {
    continueFlow(directory, req, res);
  });
  return router;
}

function startFlow(directory: Directory, req: Request<{ tenant: string }>, res: Response): void {
  const form = readForm(req);
  try {
    const client = demandClient(directory, demandParameter(form, 'client_id'));
    const userCode = Array.from({ length: 9 }, () => USER_CODE_LETTERS[randomInt(USER_CODE_LETTERS.length)]).join('');
    const scope = demandParameter(form, 'scope');
    readScopes(directory.world, scope);
    const deviceCode = randomHandle();
    directory.grants.deviceCodes.set(deviceCode, {
      userCode,
      client,
      tenant: req.params.tenant,
      scope,
      claims: form.get('claims') ?? undefined,
      expiresAt: unixNow() + LIFETIME_SECONDS,
      answer: 'pending',
    });
    res.json(describeFlow(directory, userCode, deviceCode));
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    const frame = { ...directory, correlationId: form.get('client-request-id') ?? randomUUID() };
    res.status(error.status).json(describeEntraError(error, frame));
  }
}

function describeFlow({ origin, switches }: Directory, userCode: string, deviceCode: string): object {
  const address = `${origin}${PAGE_PATH}`;
  return {
    user_code: userCode,
    device_code: deviceCode,
    verification_uri: address,
    expires_in: LIFETIME_SECONDS,
    interval: switches.deviceCodeInterval,
    message: `To sign in, open the page ${address} in a browser and enter the code ${userCode}.`,
  };
}

function continueFlow(directory: Directory, req: Request<object>, res: Response): void {
  const form = readForm(req);
  const code = findByUserCode(directory, form.get('user_code') ?? '');
  if (!code) {
    res.status(400).send(messagePage('This code does not work', 'Check the code on your device.'));
    return;
  }
  try {
    if (form.has('cancel')) {
      throw new EntraError(65004);
    }
    takeStep(directory, code, req, res);
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    code.answer = 'declined';
    res.status(400).send(messagePage('The device is not signed in', error.description));
  }
}

function takeStep(directory: Directory, code: DeviceCode, req: Request<object>, res: Response): void {
  const answers = readAnswers(readForm(req));
  const request = {
    client: code.client,
    tenant: code.tenant,
    scopes: readScopes(directory.world, code.scope),
    claims: readClaimsRequest(code.claims),
    prompt: answers.user === undefined ? 'select_account' : undefined,
    loginHint: undefined,
    session: readSession(directory.grants, req),
  };
  const step = decideNextStep(directory, request, answers);
  if (step.page === 'done') {
    code.answer = step.signIn;
    rememberSession(directory.grants, res, step.signIn);
    res.send(messagePage('You are signed in', `${code.client.name} on your device goes on. Close this page.`));
    return;
  }
  res.send(interactionPage(step, code.client, { ...answers, user_code: code.userCode }));
}

function findByUserCode({ grants }: Directory, typed: string): DeviceCode | undefined {
  const userCode = typed.trim().toUpperCase();
  return [...grants.deviceCodes.values()].find((code) => code.userCode === userCode && code.answer === 'pending');
}

function demandClient({ world }: Directory, clientId: string): App {
  const client = findApp(world, clientId);
  if (client?.clientId !== clientId) {
    throw new EntraError(700016);
  }
  return client;
}
