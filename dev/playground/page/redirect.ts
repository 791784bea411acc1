import { broadcastResponseToMainFrame } from '@azure/msal-browser/redirect-bridge';
import { tellArrival } from './popup.ts';

tellArrival();
await broadcastResponseToMainFrame();
