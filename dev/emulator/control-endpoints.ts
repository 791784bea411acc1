import express, { Router, type RequestHandler } from 'express';
import { revokeGrants } from './account-state.ts';
import { readClaimsRequest } from './claims-request.ts';
import type { Directory } from './directory.ts';
import { issueAccessToken, type AccessTokenOrder } from './issue-access-token.ts';
import { findSentCodes } from './native-auth/one-time-code.ts';
import { defaultSwitches, type Switches } from './switches.ts';
import { findUser } from './world-model.ts';

const BASE = '/_emulator';

/** Serves what a person needs to play with the emulator from the command line. */
export function controlEndpoints(directory: Directory): Router {
  const { world, switches, keys } = directory;
  const router = Router();
  router.use(BASE, express.json());
  router.get(`${BASE}/token`, (req, res) => {
    res.type('text/plain').send(`${issueAccessToken(directory, readOrder(req.query))}\n`);
  });
  router.get(`${BASE}/switches`, (_req, res) => {
    res.json(switches);
  });
  router.put(`${BASE}/switches`, flipSwitches(switches));
  router.get(`${BASE}/world`, (_req, res) => {
    const apps = world.apps.map(({ secrets: _secrets, ...app }) => app);
    const users = world.users.map(({ password: _password, ...user }) => user);
    res.json({ ...world, apps, users });
  });
  router.put(`${BASE}/policies/:id`, (req, res) => {
    const policy = world.policies.find(({ id }) => id === req.params.id);
    if (policy) {
      res.json(Object.assign(policy, req.body));
    } else {
      res.sendStatus(404);
    }
  });
  router.post(`${BASE}/users/:user/revoke`, (req, res) => {
    const user = findUser(world, req.params.user);
    if (user) {
      revokeGrants(user);
    }
    res.sendStatus(user ? 204 : 404);
  });
  router.get(`${BASE}/codes`, (req, res) => {
    const { user } = req.query;
    res.json(findSentCodes(directory, typeof user === 'string' ? user : ''));
  });
  router.post(`${BASE}/keys`, async (_req, res) => {
    await keys.roll();
    res.json(keys.publishedIds());
  });
  return router;
}

/** Sets the switches that the body names; null puts one back to rest. */
function flipSwitches(switches: Switches): RequestHandler {
  return (req, res) => {
    const changes = req.body as Record<string, unknown>;
    const resting = { ...defaultSwitches() } as Record<string, unknown>;
    const unknown = Object.keys(changes).filter((name) => !(name in resting));
    if (unknown.length > 0) {
      res.status(400).json({ unknown, known: Object.keys(resting) });
      return;
    }
    for (const [name, value] of Object.entries(changes)) {
      Object.assign(switches, { [name]: value ?? resting[name] });
    }
    res.json(switches);
  };
}

/**
 * Query parameters of the token order; lists are separated by spaces, `mfa=1` stands for a sign-in with MFA, and `claims`
 * for one that satisfies the claims of a challenge.
 */
function readOrder(query: Record<string, unknown>): AccessTokenOrder {
  const text = (name: string): string | undefined => (typeof query[name] === 'string' ? query[name] : undefined);
  const list = (name: string): string[] | undefined => text(name)?.split(' ').filter(Boolean);
  const lifetime = text('lifetime');
  const demanded = readClaimsRequest(text('claims'));
  const hasMfa = text('mfa') === '1' || demanded.capolids.length > 0 || demanded.acrs.length > 0;
  return withoutUndefined({
    user: text('user') ?? (text('app') === undefined ? 'adele' : undefined),
    app: text('app'),
    client: text('client'),
    resource: text('resource'),
    scopes: list('scopes'),
    acrs: [...(list('acrs') ?? []), ...demanded.acrs],
    capabilities: list('capabilities'),
    amr: hasMfa ? ['pwd', 'mfa'] : undefined,
    lifetimeSeconds: lifetime === undefined ? undefined : Number(lifetime),
  });
}

function withoutUndefined(order: {
  [name in keyof AccessTokenOrder]: AccessTokenOrder[name] | undefined;
}): AccessTokenOrder {
  return Object.fromEntries(Object.entries(order).filter(([, value]) => value !== undefined));
}
