import { LabIcon } from '@jupyterlab/ui-components';
import fullSvg from '../style/icons/governance-full.svg';
import governanceSvg from '../style/icons/governance.svg';
import offSvg from '../style/icons/governance-off.svg';
import unreachableSvg from '../style/icons/governance-unreachable.svg';

/** A coin below a ceiling: governed. */
export const governanceIcon = new LabIcon({
  name: 'aumos-governance:governance',
  svgstr: governanceSvg
});

/** A coin that fills the room below its ceiling: the budget is nearly or fully used. */
export const fullIcon = new LabIcon({
  name: 'aumos-governance:full',
  svgstr: fullSvg
});

/** A coin that is crossed out: the server cannot be reached, so nothing is known. */
export const unreachableIcon = new LabIcon({
  name: 'aumos-governance:unreachable',
  svgstr: unreachableSvg
});

/** A coin without a ceiling: not governed. */
export const offIcon = new LabIcon({
  name: 'aumos-governance:off',
  svgstr: offSvg
});
