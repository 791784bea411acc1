import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

/** What a customer wants. */
export interface NewOrder {
  readonly customer: string;
  readonly lines: readonly { readonly article: string; readonly quantity: number }[];
}

/** An order in the book. */
export interface Order extends NewOrder {
  readonly id: string;
  readonly status: 'open' | 'shipped' | 'cancelled';
}

/** The id of an order that is there from the start. */
export const FIRST_ORDER_ID = '0b9f7f52-6a3c-4d1e-9c55-1f0a2b3c4d01';

/** The orders of one demo API, in memory; tells of each change. */
export class OrderBook {
  readonly #orders = new Map<string, Order>();
  readonly #changes = new EventEmitter<{ order: [Order] }>().setMaxListeners(0);

  /** Makes a book with a few orders. */
  constructor() {
    this.#put({
      id: FIRST_ORDER_ID,
      customer: 'Fabrikam',
      status: 'shipped',
      lines: [{ article: 'bolt', quantity: 40 }],
    });
    this.add({ customer: 'Adventure Works', lines: [{ article: 'bicycle', quantity: 2 }] });
    this.add({ customer: 'Northwind', lines: [{ article: 'tea', quantity: 12 }] });
  }

  /** The orders, newest first, of one status if given. */
  list(status?: string): Order[] {
    return [...this.#orders.values()].toReversed().filter((order) => status === undefined || order.status === status);
  }

  /** The order with that id. */
  find(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  /** Places an order. */
  add(order: NewOrder): Order {
    return this.#put({ ...order, id: randomUUID(), status: 'open' });
  }

  /** Changes what the customer wants. */
  replace(order: Order, wanted: NewOrder): Order {
    return this.#put({ ...order, ...wanted });
  }

  /** Cancels an order; it stays in the book. */
  cancel(order: Order): Order {
    return this.#put({ ...order, status: 'cancelled' });
  }

  /** Calls the listener for each change; the answer ends that. */
  onChange(listener: (order: Order) => void): () => void {
    this.#changes.on('order', listener);
    return () => this.#changes.off('order', listener);
  }

  #put(order: Order): Order {
    this.#orders.set(order.id, order);
    this.#changes.emit('order', order);
    return order;
  }
}
