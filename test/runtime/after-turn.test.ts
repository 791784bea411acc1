import { describe, expect, it } from '@jest/globals';
import { afterTurn } from '../../src/runtime/after-turn.ts';

/** Lets the turn of the event loop end. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is put off to the end of the turn', () => {
  it('is done then, in its order, and before what the next turn puts off', async () => {
    const done: string[] = [];
    afterTurn(() => {
      done.push('first');
      afterTurn(() => done.push('third'));
    });
    afterTurn(() => done.push('second'));
    done.push('the turn itself');
    await Promise.resolve();
    expect(done).toEqual(['the turn itself']);
    await turn();
    expect(done).toEqual(['the turn itself', 'first', 'second']);
    await turn();
    expect(done).toEqual(['the turn itself', 'first', 'second', 'third']);
  });
});
