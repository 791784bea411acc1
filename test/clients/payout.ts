import { FIRST_ORDER_ID } from '../../dev/demo-apis/order-book.ts';

/** The body of a payout, which the contract allows only with the authentication context c1. */
export const PAYOUT = JSON.stringify({ orderId: FIRST_ORDER_ID, amount: 250 });

/** The same as a request. */
export const PAYOUT_REQUEST: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: PAYOUT,
};
