import type { PlaygroundSettings } from '../playground-settings.ts';
import { AnswerView } from './answer-view.ts';
import { loadContract } from './contract.ts';
import { Conversation } from './conversation.ts';
import { find } from './element.ts';
import { connectExportButton } from './export-button.ts';
import { Identity } from './identity.ts';
import { MCP_CALLS } from './mcp-calls.ts';
import { RequestForm } from './request-form.ts';
import { startJourney } from './start-journey.ts';
import { Tokens } from './tokens.ts';
import { Viewer } from './viewer.ts';
import { WhoView } from './who-view.ts';
import { doAction, readWorld, resetWorld, turnSwitch } from './world-client.ts';
import { WorldView, type WorldDescription } from './world-view.ts';

/** Two APIs behind one gateway: the first has no policy, the second one has. */
const BOTH_SERVICES = ['listOrders', 'listMessages'];

/** What does nothing while something is under way; as `aria-disabled` they keep their focus. */
const BUSY_BUTTONS = ['sign-in', 'sign-out', 'send', 'both-services', 'mcp-server', 'satisfy'];

const live = find('live', HTMLElement);

function tell(text: string): void {
  live.textContent = text;
}

function tellTrouble(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error));
}

async function start(): Promise<void> {
  const settings = (await (await fetch('/settings.json')).json()) as PlaygroundSettings;
  find('docs', HTMLAnchorElement).href = `${settings.gatewayUrl}/docs`;
  const [contract, world] = await Promise.all([loadContract(settings.gatewayUrl), readWorld()]);
  const viewer = new Viewer(find('diagram', HTMLOListElement));
  const journey = startJourney(viewer);
  const identity = await Identity.create(settings, (correlationId) => {
    journey.addVisit(correlationId);
  });

  const who = new WhoView(settings.users, {
    signIn: (user) => void conversation.signIn(user),
    signOut: () => void conversation.signOut(),
  });
  who.offerPermissions(contract.permissions);
  const form = new RequestForm(contract);
  const conversation: Conversation = new Conversation({
    apiUrls: { gateway: settings.gatewayUrl, engine: settings.engineUrl },
    entraOrigin: settings.entraOrigin,
    tokens: new Tokens(identity, who),
    journey,
    who,
    answer: new AnswerView(() => void conversation.satisfy()),
    tell,
    onBusy: (busy) => {
      document.body.toggleAttribute('data-busy', busy);
      find('stop', HTMLButtonElement).disabled = !busy;
      for (const id of BUSY_BUTTONS) {
        find(id, HTMLButtonElement).setAttribute('aria-disabled', String(busy));
      }
    },
    onNext: (button) => {
      document.body.dataset['next'] = button;
      viewer.showButton(button);
      viewer.showAnswer();
    },
  });
  connectButtons(conversation, form);
  connectExportButton(journey, tell);
  connectWorld(world, conversation);
  find('controls', HTMLElement).inert = false;
  await conversation.resume();
}

function connectButtons(conversation: Conversation, form: RequestForm): void {
  find('call', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const { sendAs, through } = form;
    void conversation.send({ title: 'The client sends', calls: [form.readRequest()], sendAs, through });
  });
  find('both-services', HTMLButtonElement).addEventListener('click', () => {
    const calls = BOTH_SERVICES.flatMap((operationId) => form.requestFor(operationId) ?? []);
    void conversation.send({ title: 'Orders, then mail', calls, sendAs: 'own', through: form.through });
  });
  find('mcp-server', HTMLButtonElement).addEventListener('click', () => {
    // An engine sees no bodies, and so cannot tell the tools apart.
    void conversation.send({ title: 'Tools of an MCP server', calls: MCP_CALLS, sendAs: 'own', through: 'gateway' });
  });
  find('stop', HTMLButtonElement).addEventListener('click', () => {
    conversation.stop();
  });
}

function connectWorld(world: WorldDescription, conversation: Conversation): void {
  const view = new WorldView(world, {
    turn: (id, position) => {
      conversation
        .changeWorld(async () => {
          const { switches } = await turnSwitch(id, position);
          view.show(switches);
          const turned = switches.find((one) => one.id === id);
          tell(turned?.positions.find((one) => one.id === position)?.effect ?? '');
        })
        .catch(tellTrouble);
    },
    act: ({ id, effect }) => {
      doAction(id)
        .then(({ switches }) => {
          view.show(switches);
          tell(effect);
        })
        .catch(tellTrouble);
    },
    reset: () => {
      conversation
        .changeWorld(async () => {
          view.show((await resetWorld()).switches);
          tell('Every switch is at rest again, and the gateway has started anew.');
        })
        .catch(tellTrouble);
    },
  });
  // Another tab can have turned a switch.
  window.addEventListener('focus', () => {
    readWorld()
      .then(({ switches }) => {
        view.show(switches);
      })
      .catch(tellTrouble);
  });
}

await start().catch((error: unknown) => {
  tell(`The page cannot start: is npm start still running? (${String(error)})`);
});
