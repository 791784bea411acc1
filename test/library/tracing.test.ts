import { expect, it } from '@jest/globals';
import express from 'express';
import { startApplicationWorld } from '../support/application-world.ts';
import { valuesOf } from '../support/gateway-downstream.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';

it('the calls of a handler are spans below that of its request, and each downstream gets its own', async () => {
  const receiver = await startOtlpReceiver();
  const world = await startApplicationWorld({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRICS_EXPORTER: 'none', OTEL_BSP_SCHEDULE_DELAY: '50' },
  });
  const { obo, graph, orders } = world;
  const app = express();
  app.use(obo.protect());
  app.get('/both', obo.protect({ scopes: ['Orders.Read'] }), async (req, res) => {
    await Promise.all([obo.downstream(req, 'graph').get('/me'), obo.downstream(req, 'orders').get('/list')]);
    res.end();
  });
  const url = await world.listen(app);
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
  await fetch(`${url}/both`, { headers: { authorization: `Bearer ${world.token('adele')}`, traceparent } });
  const spans = await receiver.spansOf(traceId, 7);
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    'GET /both',
    'authenticate',
    'authenticate',
    'exchange',
    'exchange',
    'forward',
    'forward',
  ]);
  const root = spans.find(({ name }) => name === 'GET /both');
  expect(spans.filter((span) => span !== root).every(({ parentSpanId }) => parentSpanId === root?.spanId)).toBe(true);
  const sent = [graph, orders].flatMap(({ last }) => valuesOf(last.rawHeaders, 'traceparent'));
  const forwards = spans.filter(({ name }) => name === 'forward').map(({ spanId }) => `00-${traceId}-${spanId}-01`);
  expect(sent.toSorted()).toEqual(forwards.toSorted());
  await world.close();
  await receiver.close();
});
