import type { WorldAction, WorldSwitch } from './playground-settings.ts';
import { ACTIONS, SWITCHES } from './switches.ts';
import type { TurnableWorld } from './turns.ts';

/** What can be turned and done, as the page shows it. */
export interface WorldState {
  readonly switches: readonly WorldSwitch[];
  readonly actions: readonly WorldAction[];
}

/** The switches of one demo world: remembers the position that each is in. */
export class WorldControls {
  readonly #world: TurnableWorld;
  readonly #positions = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(world: TurnableWorld) {
    this.#world = world;
  }

  /** All switches with their positions, and all actions. */
  describe(): WorldState {
    return {
      switches: SWITCHES.map(({ id, group, title, positions }) => ({
        id,
        group,
        title,
        positions: positions.map((position) => ({
          id: position.id,
          title: position.title,
          effect: position.effect,
        })),
        position: this.#positions.get(id) ?? positions[0].id,
      })),
      actions: ACTIONS.map(({ id, group, title, effect }) => ({ id, group, title, effect })),
    };
  }

  /** Turns a switch; false when there is no such switch or position. */
  turn(id: string, position: unknown): Promise<boolean> {
    return this.#inTurn(() => this.#turnNow(id, position));
  }

  /** Does what an action is for; false when there is no such action. */
  act(id: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const action = ACTIONS.find((row) => row.id === id);
      await action?.act(this.#world);
      return action !== undefined;
    });
  }

  /** Turns every switch to rest, and lets the gateway forget what it met until then. */
  reset(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { id, positions } of SWITCHES) {
        await this.#turnNow(id, positions[0].id);
      }
      await this.#world.gateway.restart();
    });
  }

  async #turnNow(id: string, position: unknown): Promise<boolean> {
    const found = SWITCHES.find((row) => row.id === id)?.positions.find((candidate) => candidate.id === position);
    await found?.turn(this.#world);
    if (found !== undefined) {
      this.#positions.set(id, found.id);
    }
    return found !== undefined;
  }

  /** A server takes a moment to come and go; whoever turns a switch twice gets what they turned last. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#last.then(change);
    this.#last = changed.catch(() => undefined);
    return changed;
  }
}
