import { createDefaultHttpClient, createPipelineRequest, type PipelinePolicy } from '@azure/core-rest-pipeline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startWorld, type DemoWorld } from '../../dev/world.ts';
import { createApiPipeline } from '../../examples/recover/core-rest-pipeline.ts';
import type { Session } from '../../examples/recover/msal-node.ts';
import { PAYOUT } from './payout.ts';
import { MEGAN, signIn } from './signed-in.ts';

let world: DemoWorld;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

/** The pipeline sends tokens to https only; this stands for the TLS proxy before the gateway. */
const tlsProxy: PipelinePolicy = {
  name: 'tlsProxy',
  sendRequest: (request, next) => {
    const outside = request.url;
    request.url = outside.replace('https:', 'http:');
    request.allowInsecureConnection = true;
    return next(request).finally(() => {
      request.url = outside;
    });
  },
};

async function send(session: Session, path: string, body?: string): Promise<number> {
  const pipeline = createApiPipeline(session);
  pipeline.addPolicy(tlsProxy, { afterPhase: 'Sign' });
  const request = createPipelineRequest({
    url: `${world.gatewayUrl.replace('http:', 'https:')}${path}`,
    ...(body !== undefined && { method: 'POST' as const, body }),
  });
  if (body !== undefined) {
    request.headers.set('content-type', 'application/json');
  }
  return (await pipeline.sendRequest(createDefaultHttpClient(), request)).status;
}

describe('@azure/core-rest-pipeline, whose own code reads the challenge', () => {
  it('recovers by itself when Entra wants MFA for Graph', async () => {
    const megan = await signIn(world, MEGAN);
    expect(await send(megan, '/me')).toBe(200);
    expect(megan.pagesOpened()).toBe(1);
  });

  it('recovers by itself when the contract wants an authentication context', async () => {
    const megan = await signIn(world, MEGAN);
    expect(await send(megan, '/payouts', PAYOUT)).toBe(202);
    expect(megan.pagesOpened()).toBe(1);
  });

  it('waits as Retry-After says while Entra throttles', async () => {
    const megan = await signIn(world, { ...MEGAN });
    world.emulator.switches.retryAfter = '1';
    world.emulator.switches.entra = 'throttled';
    const stop = world.emulator.onRequest(({ exchange }) => {
      if (exchange?.status === 429) {
        world.emulator.switches.entra = 'up';
      }
    });
    expect(await send(megan, '/orders')).toBe(200);
    stop();
  });
});
