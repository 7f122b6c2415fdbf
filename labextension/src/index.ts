import '../style/first.js';
import { modelPlugin, statusPlugin } from './plugins/model';
import {
  commandsPlugin,
  notificationsPlugin,
  settingsPlugin
} from './plugins/commands';
import { auditPlugin } from './plugins/audit';
import { pricePlugin, receiptsPlugin } from './plugins/cells';
import { gatewayPlugin } from './plugins/gateway';
import { starterPlugin, startPlugin } from './plugins/start';
import { waitingPlugin } from './plugins/waiting';
import { panelPlugin } from './plugins/panel';

export * from './protocol/state';
export { isStateEvent } from './server/events';
export * from './tokens';

export default [
  settingsPlugin,
  modelPlugin,
  starterPlugin,
  statusPlugin,
  panelPlugin,
  startPlugin,
  waitingPlugin,
  auditPlugin,
  gatewayPlugin,
  commandsPlugin,
  notificationsPlugin,
  receiptsPlugin,
  pricePlugin
];
