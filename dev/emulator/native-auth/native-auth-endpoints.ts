import { randomUUID } from 'node:crypto';
import { Router, type Request, type Response } from 'express';
import type { Directory } from '../directory.ts';
import { describeEntraError, EntraError } from '../entra-error.ts';
import { readCorrelationId, readForm } from '../form.ts';
import { simulateOutage } from '../outage.ts';
import { sendJson } from '../send-json.ts';
import { readNativeRequest, type NativeRequest } from './native-request.ts';
import { challengeRegistration, continueRegistration, listRegistrableMethods } from './register-method.ts';
import {
  challengePasswordReset,
  continuePasswordReset,
  pollPasswordReset,
  startPasswordReset,
  submitNewPassword,
} from './reset-password.ts';
import { challengeSignIn, initiateSignIn, listSecondFactors } from './sign-in.ts';
import { challengeSignUp, continueSignUp, startSignUp } from './sign-up.ts';

/** Tokens are asked for at the token endpoint, as in every flow. */
const CALLS: Readonly<Record<string, (directory: Directory, request: NativeRequest) => object>> = {
  'oauth2/v2.0/initiate': initiateSignIn,
  'oauth2/v2.0/challenge': challengeSignIn,
  'oauth2/v2.0/introspect': listSecondFactors,
  'signup/v1.0/start': startSignUp,
  'signup/v1.0/challenge': challengeSignUp,
  'signup/v1.0/continue': continueSignUp,
  'resetpassword/v1.0/start': startPasswordReset,
  'resetpassword/v1.0/challenge': challengePasswordReset,
  'resetpassword/v1.0/continue': continuePasswordReset,
  'resetpassword/v1.0/submit': submitNewPassword,
  'resetpassword/v1.0/poll_completion': pollPasswordReset,
  'register/v1.0/introspect': listRegistrableMethods,
  'register/v1.0/challenge': challengeRegistration,
  'register/v1.0/continue': continueRegistration,
};

/**
 * Serves the native authentication API of external tenants. It knows nothing of CORS, so pages reach it through a proxy
 * only: a preflight is refused like any method but POST.
 * @see https://learn.microsoft.com/entra/identity-platform/reference-native-authentication-api
 */
export function nativeAuthEndpoints(directory: Directory): Router {
  const router = Router();
  for (const [path, answer] of Object.entries(CALLS)) {
    router.post(`/:tenant/${path}`, (req: Request<{ tenant: string }>, res, next) => {
      simulateOutage(directory.switches, res, 'none')
        .then((answered) => {
          if (!answered) {
            send(directory, req, res, answer);
          }
        })
        .catch(next);
    });
    router.all(`/:tenant/${path}`, (_req, res) => {
      res.status(405).set('Allow', 'POST').end();
    });
  }
  return router;
}

function send(
  directory: Directory,
  req: Request<{ tenant: string }>,
  res: Response,
  answer: (directory: Directory, request: NativeRequest) => object,
): void {
  try {
    const request = readNativeRequest(directory, req.params.tenant, readForm(req));
    sendJson(res, 200, answer(directory, request), randomUUID());
  } catch (error) {
    if (!(error instanceof EntraError)) {
      throw error;
    }
    const body = describeEntraError(error, { ...directory, correlationId: readCorrelationId(req) ?? randomUUID() });
    res.locals['refusal'] = `AADSTS${error.code} ${error.error}`;
    sendJson(res, 400, body, body.trace_id);
  }
}
