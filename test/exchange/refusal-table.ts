import type { RefusalClass } from '../../src/exchange/entra-codes.ts';

/** How Entra refuses, as far as it is documented or was seen, and what that asks for. */
export interface RefusalCase {
  readonly code: number;
  readonly error: string;
  readonly class: RefusalClass;
  readonly suberror?: string;
  readonly status?: number;
}

const GRANT = 'invalid_grant';
const INTERACTION = 'interaction_required';
const REQUEST = 'invalid_request';
const CLIENT = 'invalid_client';

interface How {
  readonly error?: string;
  readonly suberror?: string;
  readonly status?: number;
}

/** Rows of one class; without more, the error is `invalid_grant`. */
function rows(refusalClass: RefusalClass, codes: readonly number[], how: How = {}): RefusalCase[] {
  return codes.map((code) => ({ code, error: GRANT, class: refusalClass, ...how }));
}

/**
 * The AADSTS codes that a middle tier can meet, each in the form that was seen; where none was seen, as
 * `invalid_grant`, which says least.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
export const REFUSAL_TABLE: readonly RefusalCase[] = [
  // What the user can prove.
  ...rows('interaction', [50072, 50074, 50076, 50078, 50079], { suberror: 'basic_action' }),
  ...rows('interaction', [50072, 50074, 50076, 50078, 50079], { error: INTERACTION }),
  ...rows('interaction', [50072, 50074, 50076, 50078, 50079]),
  ...rows('interaction', [50097], { status: 401 }),
  ...rows('interaction', [50127, 50129, 50131, 50155, 50187, 50192, 53001]),
  ...rows('interaction', [50158, 53003, 700020], { error: INTERACTION }),
  ...rows('interaction', [53000], { error: INTERACTION, suberror: 'additional_action' }),
  ...rows('interaction', [530002, 530003]),

  // A new sign-in.
  ...rows('reauthenticate', [16000, 50140, 50199], { error: INTERACTION }),
  ...rows('reauthenticate', [50013, 50125, 50126, 50132, 50133, 50135, 50144, 500133]),
  ...rows('reauthenticate', [50027], { error: REQUEST }),
  ...rows('reauthenticate', [50027]),
  ...rows('reauthenticate', [50055], { suberror: 'user_password_expired' }),
  ...rows('reauthenticate', [50058], { error: 'login_required' }),
  ...rows('reauthenticate', [50058], { error: INTERACTION }),
  ...rows('reauthenticate', [50173], { suberror: 'bad_token' }),
  ...rows('reauthenticate', [70000, 70008, 70044, 700082, 700084]),
  ...rows('reauthenticate', [70043], { suberror: 'token_expired' }),
  ...rows('reauthenticate', [70043], { error: INTERACTION }),
  ...rows('reauthenticate', [240002], { error: REQUEST }),

  // Consent.
  ...rows('consent', [65001], { suberror: 'consent_required' }),
  ...rows('consent', [65001]),
  ...rows('consent', [65004], { error: 'access_denied', suberror: 'consent_required' }),
  ...rows('consent', [90094, 90095], { error: 'consent_required' }),

  // Denied for good.
  ...rows('denied', [50020, 50034, 50053, 50057, 50105, 51004, 53002, 53004, 53010, 53011]),
  ...rows('denied', [530032, 530034, 530035, 135011, 500208, 500212, 500213]),
  ...rows('denied', [53003], { suberror: 'message_only' }),
  ...rows('denied', [50131], { suberror: 'message_only' }),
  ...rows('denied', [90072], { error: INTERACTION }),
  ...rows('denied', [90072, 7000114]),
  ...rows('denied', [7000114], { error: REQUEST }),

  // The operator's to fix.
  ...rows('misconfigured', [50001, 500011], { error: 'invalid_resource' }),
  ...rows('misconfigured', [50059, 50194, 900023, 90004, 90013, 90014, 90023, 900144, 901002, 9001023], {
    error: REQUEST,
  }),
  ...rows('misconfigured', [9002313]),
  ...rows('misconfigured', [65002, 65005, 67003, 90016, 90019, 90036, 90038, 90099, 900382, 900432]),
  ...rows('misconfigured', [100007, 135010, 140000, 165900, 220501, 221000, 500131]),
  ...rows('misconfigured', [650052, 650054, 650056, 650057], { error: CLIENT, status: 401 }),
  ...rows('misconfigured', [650052, 650057], { error: 'invalid_resource' }),
  ...rows('misconfigured', [70001, 700011, 700016, 7000112], { error: 'unauthorized_client' }),
  ...rows('misconfigured', [70002, 70021, 700024, 700025, 700027, 700211, 700212, 700213, 7002121, 700229, 1000502], {
    error: CLIENT,
    status: 401,
  }),
  ...rows('misconfigured', [7000214, 7000215, 7000218, 7000222, 7000274, 7000277], { error: CLIENT, status: 401 }),
  ...rows('misconfigured', [70003], { error: 'unsupported_grant_type' }),
  ...rows('misconfigured', [70011, 700022], { error: 'invalid_scope' }),
  ...rows('misconfigured', [650053], { error: CLIENT }),
  ...rows('misconfigured', [9002326, 9002327], { error: REQUEST }),
  ...rows('misconfigured', [9010010], { error: 'invalid_target' }),
  ...rows('misconfigured', [700022, 700023], { error: REQUEST }),
  ...rows('misconfigured', [90002], { error: 'invalid_tenant' }),
  ...rows('misconfigured', [90002], { error: REQUEST }),

  // Later.
  ...rows('retry', [50196, 90055, 90090, 230109]),
  ...rows('retry', [90006, 90012, 90024, 90033], { error: 'temporarily_unavailable' }),
  ...rows('retry', [90033], { error: 'server_error', status: 500 }),
];
