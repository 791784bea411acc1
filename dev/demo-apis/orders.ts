import { randomUUID } from 'node:crypto';
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { ORDERS_APP_ID } from '../emulator/world.ts';
import { startDemoApi, type DemoApi, type DemoApiOptions } from './demo-api.ts';
import { OrderBook, type NewOrder, type Order } from './order-book.ts';
import { exportOrders, receiveAttachment, streamChanges } from './order-streams.ts';
import { verifierFor, type DownstreamClaims, type VerifyBearer } from './verify-bearer.ts';

/** Starts the Orders API, with everything that the contract's `orders` operations need. */
export function startOrders({ emulator, ...listen }: DemoApiOptions): Promise<DemoApi> {
  const verify = verifierFor(emulator, ['api://orders', ORDERS_APP_ID]);
  return startDemoApi(listen, (app) => {
    addRoutes(app, new OrderBook(), verify);
  });
}

function addRoutes(app: Express, book: OrderBook, verify: VerifyBearer): void {
  app.get('/status', (_req, res) => {
    res.json({ open: true });
  });
  app.use(demandToken(verify));
  app.get('/orders', (req, res) => {
    const { status, limit } = req.query;
    res.json({ value: book.list(status as string | undefined).slice(0, Number(limit ?? 20)) });
  });
  app.get('/orders/feed', streamChanges(book));
  app.get('/orders/export', exportOrders);
  app.get('/catalogue/*path', (req, res) => {
    res.json({ path: req.originalUrl });
  });
  app.put('/orders/:id/attachment', findOrder(book), receiveAttachment);
  app.use(express.json());
  addOrderRoutes(app, book);
  app.post('/payouts', (_req, res) => {
    res.status(202).json({ payoutId: randomUUID() });
  });
}

function addOrderRoutes(app: Express, book: OrderBook): void {
  app.post('/orders', (req, res) => {
    const order = book.add(req.body as NewOrder);
    res.status(201).location(`/orders/${order.id}`).json(order);
  });
  app.get('/orders/:id', findOrder(book), (_req, res) => {
    res.json(orderOf(res));
  });
  app.put('/orders/:id', findOrder(book), (req, res) => {
    res.json(book.replace(orderOf(res), req.body as NewOrder));
  });
  app.delete('/orders/:id', findOrder(book), (_req, res) => {
    book.cancel(orderOf(res));
    res.sendStatus(204);
  });
}

/** People may do everything; apps with the role may read. */
function demandToken(verify: VerifyBearer): RequestHandler {
  return (req, res, next) => {
    verify(req.get('authorization'))
      .then((claims) => {
        if (!claims) {
          res.set('WWW-Authenticate', 'Bearer realm="orders"').status(401).json({ error: 'unauthorized' });
        } else if (isAllowed(claims, req)) {
          next();
        } else {
          res.status(403).json({ error: 'forbidden' });
        }
      })
      .catch(next);
  };
}

function isAllowed({ scp, roles }: DownstreamClaims, req: Request): boolean {
  if (scp?.split(' ').includes('user_impersonation')) {
    return true;
  }
  return req.method === 'GET' && (roles ?? []).includes('Orders.Read.All');
}

function findOrder(book: OrderBook): RequestHandler<{ id: string }> {
  return (req, res, next) => {
    const order = book.find(req.params.id);
    res.locals['order'] = order;
    if (order) {
      next();
    } else {
      res.status(404).json({ error: 'not_found' });
    }
  };
}

function orderOf(res: Response): Order {
  return res.locals['order'] as Order;
}
