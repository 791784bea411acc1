import { describe, expect, it } from '@jest/globals';
import { replaceHopelessChallenge } from '../../src/challenge/replace-hopeless-challenge.ts';
import { StepUpLoop } from '../../src/challenge/step-up-loop.ts';
import { GatewayError } from '../../src/failures.ts';
import { toPrincipal, type Principal, type TokenClaims } from '../../src/session/principal.ts';
import { Clock } from '../support/token-clock.ts';

const MINUTE = 60_000;
const MFA = '{"access_token":{"capolids":{"essential":true,"values":["mfa"]}}}';
const PLACE = '{"access_token":{"capolids":{"essential":true,"values":["place"]}}}';

const OPERATION = { name: 'getProfile' };
const RULES = { requireClientCapability: false };

let issued = 0;

/** A user with a newer token than all before. */
function newerToken(claims: TokenClaims = {}): Principal {
  issued += 1;
  return toPrincipal({ tid: 'T', oid: 'adele', azp: 'desktop', scp: 'Read', iat: issued, ...claims });
}

/** A challenge that asks for claims. */
function challenge(claims = MFA): GatewayError {
  return new GatewayError('insufficient_claims', { claims });
}

/** What becomes of a failure where every client gets challenges. */
function check(loop: StepUpLoop, error: unknown, principal: Principal | undefined): unknown {
  return replaceHopelessChallenge(error, principal, OPERATION, { loop, ...RULES });
}

/** A loop detector with its clock, and what a caller hears of a challenge. */
function newLoop(): { clock: Clock; meet: (principal?: Principal, error?: unknown) => string } {
  const clock = new Clock();
  const loop = new StepUpLoop(clock.monotonicMs);
  return {
    clock,
    meet(principal = newerToken(), error = challenge()) {
      const heard = check(loop, error, principal);
      return heard instanceof GatewayError ? heard.code : String(heard);
    },
  };
}

const LET_THROUGH = 'insufficient_claims';
const STOPPED = 'step_up_unsatisfiable';

describe('the same challenge', () => {
  it('is given twice, and refused from the third newer token on', () => {
    const { meet } = newLoop();
    expect([meet(), meet(), meet(), meet()]).toEqual([LET_THROUGH, LET_THROUGH, STOPPED, STOPPED]);
  });

  it('is passed on as the same error object', () => {
    const error = challenge();
    expect(check(new StepUpLoop(() => 0), error, newerToken())).toBe(error);
  });

  it('carries no claims any more when it is refused, and tells the operator where to look', () => {
    const loop = new StepUpLoop(() => 0);
    const errors = [1, 2, 3].map(() => check(loop, challenge(), newerToken()) as GatewayError);
    expect(errors[2]?.facts).toEqual({ log: { remedy: expect.stringContaining('location') } });
  });

  it.each([
    { spread: 0, third: STOPPED },
    { spread: 5 * MINUTE - 1, third: STOPPED },
    { spread: 5 * MINUTE, third: LET_THROUGH },
  ])('that comes every $spread ms is $third the third time, because ten minutes count', ({ spread, third }) => {
    const { meet, clock } = newLoop();
    const answers = [1, 2, 3].map(() => {
      const answer = meet();
      clock.advance(spread);
      return answer;
    });
    expect(answers[2]).toBe(third);
  });

  it('is counted anew after ten minutes, also for a caller that was refused', () => {
    const { meet, clock } = newLoop();
    const before = [meet(), meet(), meet()];
    clock.advance(10 * MINUTE);
    expect([...before, meet(), meet(), meet()]).toEqual([
      LET_THROUGH,
      LET_THROUGH,
      STOPPED,
      LET_THROUGH,
      LET_THROUGH,
      STOPPED,
    ]);
  });
});

/** A refusal that a sign-in should end. */
function interaction(): GatewayError {
  return new GatewayError('interaction_required');
}

describe('the same refusal without claims', () => {
  /** A refusal of Entra's that a newer token should end. */
  function refusal(name: string, code: 'step_up_unsatisfiable' | 'gateway_misconfigured' = STOPPED): GatewayError {
    const entra = { codes: [name] };
    return new GatewayError('invalid_token', {
      loop: { refusal: name, code, remedy: 'look there' },
      log: { entra, remedy: 'sign in' },
    });
  }

  it('is given twice, and refused from the third newer token on', () => {
    const { meet } = newLoop();
    const answers = [1, 2, 3, 4].map(() => meet(newerToken(), interaction()));
    expect(answers).toEqual(['interaction_required', 'interaction_required', STOPPED, STOPPED]);
  });

  it.each([STOPPED, 'gateway_misconfigured'] as const)('becomes what its rule says: %s', (code) => {
    const { meet } = newLoop();
    const answers = [1, 2, 3].map(() => meet(newerToken(), refusal('50013', code)));
    expect(answers).toEqual(['invalid_token', 'invalid_token', code]);
  });

  it('keeps its facts for the log, with another remedy', () => {
    const loop = new StepUpLoop(() => 0);
    const errors = [1, 2, 3].map(() => check(loop, refusal('50013'), newerToken()) as GatewayError);
    expect(errors[2]?.facts).toEqual({ log: { entra: { codes: ['50013'] }, remedy: 'look there' } });
  });

  it('is no loop with the same token, nor with a successful call in between', () => {
    const { meet } = newLoop();
    const same = newerToken();
    const loop = new StepUpLoop(() => 0);
    const failures = [1, 2, 3].map(() => {
      const principal = newerToken();
      const heard = check(loop, interaction(), principal) as GatewayError;
      loop.forget(principal, 'getProfile');
      return heard.code;
    });
    expect([1, 2, 3].map(() => meet(same, interaction())).concat(failures)).toEqual(
      Array.from({ length: 6 }, () => 'interaction_required'),
    );
  });

  it('is no loop when Entra says something else each time', () => {
    const { meet } = newLoop();
    const answers = ['50173', '70043', '50173'].map((name) => meet(newerToken(), refusal(name)));
    expect(answers).toEqual(Array.from({ length: 3 }, () => 'invalid_token'));
  });

  it('says nothing about a token that the gateway itself refuses', () => {
    const { meet } = newLoop();
    const answers = [1, 2, 3, 4].map(() => meet(newerToken(), new GatewayError('invalid_token')));
    expect(answers).toEqual(Array.from({ length: 4 }, () => 'invalid_token'));
  });
});

describe('a challenge is no loop', () => {
  it('when the caller comes back with the same token', () => {
    const { meet } = newLoop();
    const same = newerToken();
    expect([meet(same), meet(same), meet(same), meet(same)]).toEqual(Array.from({ length: 4 }, () => LET_THROUGH));
  });

  it('when the caller comes back with an older token', () => {
    const { meet } = newLoop();
    const tokens = [newerToken(), newerToken(), newerToken()].toReversed();
    expect(tokens.map((token) => meet(token))).toEqual([LET_THROUGH, LET_THROUGH, LET_THROUGH]);
  });

  it.each([
    ['another user', { oid: 'megan' }],
    ['the same id in another tenant', { tid: 'U' }],
    ['another client', { azp: 'phone' }],
  ])('when %s meets it', (_who, claims) => {
    const { meet } = newLoop();
    expect([meet(), meet(), meet(newerToken(claims))]).toEqual([LET_THROUGH, LET_THROUGH, LET_THROUGH]);
  });

  it('when each challenge asks for something else', () => {
    const { meet } = newLoop();
    const asked = [MFA, PLACE, MFA, PLACE].map((claims) => meet(newerToken(), challenge(claims)));
    expect(asked).toEqual(Array.from({ length: 4 }, () => LET_THROUGH));
  });

  it('when it asks for nothing', () => {
    const { meet } = newLoop();
    const denied = new GatewayError('access_denied');
    expect([1, 2, 3].map(() => meet(newerToken(), denied))).toEqual(Array.from({ length: 3 }, () => 'access_denied'));
  });

  it('when the caller is not known', () => {
    const loop = new StepUpLoop(() => 0);
    const error = challenge();
    expect([1, 2, 3].map(() => check(loop, error, undefined) === error)).toEqual([true, true, true]);
  });

  it('when the error is none of ours', () => {
    const { meet } = newLoop();
    const errors = [1, 2, 3].map(() => meet(newerToken(), new TypeError('x')));
    expect(errors).toEqual(Array.from({ length: 3 }, () => 'TypeError: x'));
  });
});
