/**
 * A page of three APIs in an application of its own: who is signed in, their newest mail and the open orders, each by an
 * exchange on behalf of the caller, all at once. README.md says how to run and call it.
 */
import express from 'express';
// In a project of your own: from 'obo-gateway'.
import { createObo } from '../../src/index.ts';

const {
  PORT = '4000',
  ENTRA_URL = 'http://localhost:8081',
  GRAPH_URL = 'http://localhost:8082',
  ORDERS_URL = 'http://localhost:8083',
  CLIENT_SECRET = 'demo-secret-of-the-gateway',
} = process.env;

interface Person {
  readonly displayName: string;
}

interface Messages {
  readonly value: readonly { readonly subject: string }[];
}

interface Orders {
  readonly value: readonly { readonly customer: string; readonly status: string }[];
}

const obo = await createObo({
  config: {
    identity: {
      authority: ENTRA_URL,
      tenant: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      clientId: '6e74172b-be56-4843-9ff4-e66a39bb12e3',
      credential: { secret: CLIENT_SECRET },
    },
    downstreams: {
      graph: { baseUrl: `${GRAPH_URL}/v1.0`, scopes: ['https://graph.microsoft.com/User.Read'] },
      mail: { baseUrl: `${GRAPH_URL}/v1.0`, scopes: ['https://graph.microsoft.com/Mail.Read'] },
      orders: { baseUrl: ORDERS_URL, scopes: ['api://orders/.default'] },
    },
  },
  logger: { warn: console.warn, error: console.error },
});

const app = express();

app.get('/dashboard', obo.protect({ scopes: ['Profile.Read'] }), async (req, res) => {
  const [person, mail, orders] = await Promise.all([
    obo.downstream(req, 'graph').get<Person>('/me'),
    obo.downstream(req, 'mail').get<Messages>('/me/messages', { params: { $top: 3 } }),
    obo.downstream(req, 'orders').get<Orders>('/orders', { params: { status: 'open' } }),
  ]);
  res.json({
    name: person.data.displayName,
    subjects: mail.data.value.map(({ subject }) => subject),
    customers: orders.data.value.map(({ customer }) => customer),
  });
});

// The same below a second proof of who it is: an authentication context, for pages that show more than others.
app.get('/payroll', obo.protect({ scopes: ['Profile.Read'], authContext: 'c1' }), (req, res) => {
  res.json({ tenant: req.obo.principal.tenantId, contexts: [...req.obo.principal.authContexts] });
});

app.get('/readyz', (_req, res) => {
  const { ready, reason } = obo.health();
  res.status(ready ? 200 : 503).json({ reason });
});

app.use(obo.answerErrors());

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`Ready at http://localhost:${PORT}/dashboard`);
});

process.once('SIGTERM', () => {
  server.close(() => void obo.close());
});
