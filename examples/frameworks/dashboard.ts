// In a project of your own: from 'obo-gateway'.
import type { MessageLike, Obo } from '../../src/index.ts';

/** What the page of the caller shows. */
export interface Dashboard {
  readonly name: string;
  readonly customers: readonly string[];
}

/**
 * Asks two APIs on behalf of the caller of a request, whatever framework serves it.
 *
 * @param req the message of Node, or what the framework puts around it
 */
export async function readDashboard(obo: Obo, req: MessageLike): Promise<Dashboard> {
  const [person, orders] = await Promise.all([
    obo.downstream(req, 'graph').get<{ displayName: string }>('/v1.0/me'),
    obo.downstream(req, 'orders').get<{ value: { customer: string }[] }>('/orders', { params: { status: 'open' } }),
  ]);
  return { name: person.data.displayName, customers: orders.data.value.map(({ customer }) => customer) };
}
