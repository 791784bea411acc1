import { afterAll, afterEach, expect, it } from '@jest/globals';
import express, { type ErrorRequestHandler } from 'express';
import { startEmulator } from '../../dev/emulator/emulator.ts';
import type { Obo } from '../../src/index.ts';
import { startApplicationWorld, type ApplicationWorld } from '../support/application-world.ts';
import { answerChallenge, answerWith } from '../support/gateway-downstream.ts';
import { until } from '../support/gateway-poll.ts';

const emulator = await startEmulator();
const worlds: ApplicationWorld[] = [];
afterAll(() => emulator.close());
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

const challenge = answerChallenge(
  `Bearer claims="${Buffer.from('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').toString('base64')}"`,
);
const bareRejection = answerWith(401);

type MakeHandler = (obo: Obo) => ErrorRequestHandler;
interface HttpError extends Error {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const ofExpress: MakeHandler = () => (error, _req, _res, next) => next(error);
const ofOwnStatus: MakeHandler = () => (_error, _req, res, _next) => void res.status(500).json({ failed: true });
const ofItsStatus: MakeHandler = () => (error: HttpError, _req, res, _next) =>
  void res.status(error.status).json({ failed: true });
const withItsHeaders: MakeHandler = () => (error: HttpError, _req, res, _next) =>
  void res.status(error.status).set(error.headers).json({ failed: true });
const writingItsHeaders: MakeHandler = () => (error: HttpError, _req, res, _next) =>
  void res.writeHead(error.status, error.headers).end();
const ofOurs: MakeHandler = (obo) => obo.answerErrors();

it.each([
  { what: 'a page of Express', answer: challenge, handler: ofExpress, status: 401, told: 'insufficient_claims' },
  { what: 'JSON of its own', answer: challenge, handler: ofOwnStatus, status: 500, told: 'insufficient_claims' },
  { what: 'JSON with its status', answer: challenge, handler: ofItsStatus, status: 401, told: 'insufficient_claims' },
  { what: 'JSON with its headers', answer: challenge, handler: withItsHeaders, status: 401, told: undefined },
  { what: 'no body, but its headers', answer: challenge, handler: writingItsHeaders, status: 401, told: undefined },
  { what: 'its answer', answer: challenge, handler: ofOurs, status: 401, told: undefined },
  { what: 'a page', answer: bareRejection, handler: ofExpress, status: 401, told: 'downstream_rejected_token' },
  { what: 'its answer', answer: bareRejection, handler: ofOurs, status: 502, told: undefined },
])('$what for a failure: $status, told of $told', async ({ answer, handler, status, told }) => {
  const world = await startApplicationWorld({ emulator });
  worlds.push(world);
  world.graph.answer = answer;
  const app = express().disable('x-powered-by').set('env', 'test');
  app.get('/', world.obo.protect(), async (req, res) => {
    res.json((await world.obo.downstream(req, 'graph').get<unknown>('/me')).data);
  });
  app.use(handler(world.obo));
  const headers = { authorization: `Bearer ${world.token('adele')}`, 'x-request-id': 'asked' };
  const response = await fetch(await world.listen(app), { headers });
  await response.text();
  const isOfRequest = ({ fields }: (typeof world.lines)[number]): boolean =>
    fields['requestId'] === 'asked' && fields['status'] === status;
  await until('the request is logged', () => world.lines.some(isOfRequest));
  const reminders = world.lines.filter(({ fields }) => String(fields['remedy']).includes('obo.answerErrors()'));
  expect([response.status, reminders.map(({ fields }) => fields['code'])]).toEqual([
    status,
    told === undefined ? [] : [told],
  ]);
});
