import { modelPlugin, statusPlugin } from './plugins';
import { panelPlugin } from './pluginsPanel';

export * from './protocol';
export * from './tokens';

export default [modelPlugin, statusPlugin, panelPlugin];
