import type { SwitchPosition, WorldAction, WorldSwitch } from '../playground-settings.ts';
import { element, find } from './element.ts';

/** What the server tells of the world. */
export interface WorldDescription {
  readonly switches: readonly WorldSwitch[];
  readonly actions: readonly WorldAction[];
}

/** What a person does to the world. */
export interface WorldOrders {
  turn(id: string, position: string): void;
  act(action: WorldAction): void;
  reset(): void;
}

/** The part of the page that turns the world: its switches, each with what the chosen position does, and its actions. */
export class WorldView {
  readonly #orders: WorldOrders;
  readonly #groups = find('world-groups', HTMLElement);

  /** Draws the switches and actions by group. */
  constructor({ switches, actions }: WorldDescription, orders: WorldOrders) {
    this.#orders = orders;
    const groups = new Set([...switches, ...actions].map(({ group }) => group));
    this.#groups.replaceChildren(
      ...[...groups].map((group) =>
        element(
          'fieldset',
          {},
          element('legend', {}, group),
          ...switches.filter((one) => one.group === group).map((one) => this.#drawSwitch(one)),
          ...actions.filter((one) => one.group === group).map((one) => this.#drawAction(one)),
        ),
      ),
    );
    const world = find('world', HTMLDetailsElement);
    world.addEventListener('toggle', () => {
      if (world.open) {
        find('send', HTMLButtonElement).scrollIntoView({ block: 'nearest' });
      }
    });
    find('reset', HTMLButtonElement).addEventListener('click', () => {
      orders.reset();
    });
    this.show(switches);
  }

  /** Shows the positions, in place. */
  show(switches: readonly WorldSwitch[]): void {
    for (const one of switches) {
      find(`switch-${one.id}`, HTMLSelectElement).value = one.position;
      find(`switch-${one.id}-effect`, HTMLElement).textContent = positionOf(one)?.effect ?? '';
      find(`switch-${one.id}-row`, HTMLElement).classList.toggle('turned', !isAtRest(one));
    }
    const turned = switches.filter((one) => !isAtRest(one)).length;
    find('world-state', HTMLElement).textContent = turned === 0 ? 'all is well' : `${turned} turned`;
  }

  #drawSwitch({ id, title, positions }: WorldSwitch): HTMLElement {
    const name = `switch-${id}`;
    const attributes = { id: name, 'data-testid': name, 'aria-describedby': `${name}-effect` };
    const options = positions.map((position) => element('option', { value: position.id }, position.title));
    const select = element('select', attributes, ...options);
    select.addEventListener('change', () => {
      this.#orders.turn(id, select.value);
    });
    return element(
      'div',
      { class: 'switch', id: `${name}-row` },
      element('label', { for: name }, title),
      select,
      element('p', { class: 'about', id: `${name}-effect` }),
    );
  }

  #drawAction(action: WorldAction): HTMLElement {
    const name = `action-${action.id}`;
    const button = element('button', { type: 'button', 'data-testid': name, 'aria-describedby': `${name}-effect` });
    button.textContent = action.title;
    button.addEventListener('click', () => {
      this.#orders.act(action);
    });
    return element(
      'div',
      { class: 'switch' },
      button,
      element('p', { class: 'about', id: `${name}-effect` }, action.effect),
    );
  }
}

function positionOf({ positions, position }: WorldSwitch): SwitchPosition | undefined {
  return positions.find(({ id }) => id === position);
}

function isAtRest({ positions, position }: WorldSwitch): boolean {
  return positions[0]?.id === position;
}
