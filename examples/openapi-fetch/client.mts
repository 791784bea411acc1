/** A client whose paths, parameters, bodies, answers and problems have the types of the contract. */
import createClient from 'openapi-fetch';
import type { components, paths } from './contract.js';

type Problem = components['schemas']['Problem'];

const { GATEWAY_URL = 'http://localhost:8080', TOKEN = '' } = process.env;
const api = createClient<paths>({ baseUrl: GATEWAY_URL, headers: { Authorization: `Bearer ${TOKEN}` } });

const orders = await api.GET('/orders', { params: { query: { limit: 1 } } });
if (orders.error) {
  tell(orders.error);
}
for (const { id } of orders.data?.value ?? []) {
  await payOut(id);
}

async function payOut(orderId: string): Promise<void> {
  const { data, error } = await api.POST('/payouts', { body: { orderId, amount: 12.5 } });
  if (error) {
    tell(error);
  } else {
    console.log(`payout ${data.payoutId}`);
  }
}

/** The claims of a challenge go to Entra with the next request for a token, as docs/clients.md shows. */
function tell({ status, code, claims }: Problem): void {
  console.log(`problem ${status} ${code} ${claims ?? ''}`.trimEnd());
}
