import { modelPlugin, statusPlugin } from './plugins';
import { auditPlugin } from './pluginsAudit';
import { waitingPlugin } from './pluginsLists';
import { panelPlugin } from './pluginsPanel';

export * from './protocol';
export * from './tokens';

export default [
  modelPlugin,
  statusPlugin,
  panelPlugin,
  waitingPlugin,
  auditPlugin
];
