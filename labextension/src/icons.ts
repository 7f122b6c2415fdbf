import { LabIcon } from '@jupyterlab/ui-components';
import fullSvg from '../style/icons/governance-full.svg';
import governanceSvg from '../style/icons/governance.svg';
import offSvg from '../style/icons/governance-off.svg';
import unreachableSvg from '../style/icons/governance-unreachable.svg';

/** The icon of a governed notebook: a coin below a ceiling. */
export const governanceIcon = new LabIcon({
  name: 'aumos-governance:governance',
  svgstr: governanceSvg
});

/** The icon of a notebook whose budget is nearly or fully spent: a coin that reaches its ceiling. */
export const fullIcon = new LabIcon({
  name: 'aumos-governance:full',
  svgstr: fullSvg
});

/** The icon while the server cannot be reached: a coin that is crossed out. */
export const unreachableIcon = new LabIcon({
  name: 'aumos-governance:unreachable',
  svgstr: unreachableSvg
});

/** The icon of a notebook that is not governed: a coin without a ceiling. */
export const offIcon = new LabIcon({
  name: 'aumos-governance:off',
  svgstr: offSvg
});
