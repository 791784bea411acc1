import { randomUUID } from 'node:crypto';
import type { Express, Request, RequestHandler, Response } from 'express';
import { findByObjectId, wereGrantsRevoked } from '../emulator/account-state.ts';
import type { Emulator } from '../emulator/emulator.ts';
import type { User } from '../emulator/world-model.ts';
import { GRAPH_APP_ID } from '../emulator/world.ts';
import { startDemoApi, type DemoApi, type DemoApiOptions } from './demo-api.ts';
import { verifierFor, type VerifyBearer } from './verify-bearer.ts';

const CHALLENGE =
  'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", ' +
  `client_id="${GRAPH_APP_ID}"`;

const SUBJECTS = [
  'Welcome to Contoso',
  'Your order has shipped',
  'Team lunch on Friday',
  'Invoice 2041',
  'Holiday plan',
];

/** Starts a small Microsoft Graph: `/v1.0/me` and `/v1.0/me/messages`, with continuous access evaluation. */
export function startGraph({ emulator, ...listen }: DemoApiOptions): Promise<DemoApi> {
  const verify = verifierFor(emulator, ['https://graph.microsoft.com', GRAPH_APP_ID]);
  return startDemoApi(listen, (app) => {
    addRoutes(app, emulator, verify);
  });
}

function addRoutes(app: Express, emulator: Emulator, verify: VerifyBearer): void {
  app.use(nameRequest);
  app.get(
    '/v1.0/me',
    withUser({ emulator, verify, scope: 'User.Read' }, (user, _req, res) => {
      res.json({
        '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#users/$entity',
        id: user.oid,
        displayName: user.name,
        userPrincipalName: user.userPrincipalName,
      });
    }),
  );
  app.get(
    '/v1.0/me/messages',
    withUser({ emulator, verify, scope: 'Mail.Read' }, (user, req, res) => {
      const top = Number(req.query['$top'] ?? 10);
      res.json({
        '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#users('${user.oid}')/messages`,
        value: messagesOf(user).slice(0, top),
      });
    }),
  );
}

interface Access {
  readonly emulator: Emulator;
  readonly verify: VerifyBearer;
  readonly scope: string;
}

function withUser(
  { emulator, verify, scope }: Access,
  answer: (user: User, req: Request, res: Response) => void,
): RequestHandler {
  return (req, res, next) => {
    verify(req.get('authorization'))
      .then((claims) => {
        const user = claims && findByObjectId(emulator.world, claims.tid, claims.oid);
        if (!user) {
          refuse(res, 401, { challenge: CHALLENGE, message: 'The access token is missing or not valid.' });
        } else if (wereGrantsRevoked(user, claims.iat ?? 0)) {
          challengeRevoked(res, user);
        } else if (!claims.scp?.split(' ').includes(scope)) {
          refuse(res, 403, { message: `The scope ${scope} is needed.` });
        } else {
          answer(user, req, res);
        }
      })
      .catch(next);
  };
}

function challengeRevoked(res: Response, { tokensValidFrom = 0 }: User): void {
  const claims = `{"access_token":{"nbf":{"essential":true, "value":"${tokensValidFrom}"}}}`;
  const encoded = Buffer.from(claims).toString('base64');
  refuse(res, 401, {
    challenge: `${CHALLENGE}, error="insufficient_claims", claims="${encoded}"`,
    message:
      'Continuous access evaluation resulted in claims challenge with result: InteractionRequired ' +
      'and code: TokenIssuedBeforeRevocationTimestamp',
  });
}

interface GraphRefusal {
  readonly challenge?: string;
  readonly message: string;
}

function refuse(res: Response, status: number, { challenge, message }: GraphRefusal): void {
  if (challenge !== undefined) {
    res.set('WWW-Authenticate', challenge);
  }
  res.status(status).json({
    error: {
      code: status === 401 ? 'InvalidAuthenticationToken' : 'ErrorAccessDenied',
      message,
      innerError: {
        date: new Date().toISOString().slice(0, 19),
        'request-id': res.get('request-id'),
        'client-request-id': res.get('client-request-id'),
      },
    },
  });
}

const nameRequest: RequestHandler = (req, res, next) => {
  const requestId = randomUUID();
  res.set({ 'request-id': requestId, 'client-request-id': req.get('client-request-id') ?? requestId });
  next();
};

function messagesOf(user: User): object[] {
  return SUBJECTS.map((subject, index) => ({
    id: `${user.alias}-${index + 1}`,
    subject,
    from: 'noreply@contoso.com',
    receivedDateTime: new Date(Date.UTC(2026, 10, 20 - index, 9)).toISOString(),
  }));
}
