import { modelPlugin, statusPlugin } from './plugins';
import {
  commandsPlugin,
  notificationsPlugin,
  settingsPlugin
} from './pluginsCommands';
import { auditPlugin } from './pluginsAudit';
import { pricePlugin, receiptsPlugin } from './pluginsCells';
import { waitingPlugin } from './pluginsLists';
import { panelPlugin } from './pluginsPanel';

export * from './protocol/state';
export * from './tokens';

export default [
  settingsPlugin,
  modelPlugin,
  statusPlugin,
  panelPlugin,
  waitingPlugin,
  auditPlugin,
  commandsPlugin,
  notificationsPlugin,
  receiptsPlugin,
  pricePlugin
];
