import React from 'react';
import type { IGovernanceState } from '../../protocol/state';
import type { ISectionProps } from '../../tokens';
import { useReading } from '../../widgets/hooks';
import { Note } from '../../widgets/words';

/**
 * Warns if the server cannot reach the notebook's kernel, or if the kernel's environment has a key of a provider, with
 * which code can make calls that are not governed.
 *
 * Shows nothing if neither is the case or the kernels are not loaded yet.
 */
export function KernelWarnings(
  props: ISectionProps & { path: string; state: IGovernanceState }
): React.JSX.Element | null {
  const { api, model, path, state, trans } = props;
  const kernels = useReading(
    path,
    `${model.kernelChanges} ${model.connection}`,
    () => api.session.kernels()
  );
  const owner = state.shared_with ?? path;
  const own = kernels.value?.filter(kernel => kernel.notebook === owner) ?? [];
  const keys = [...new Set(own.flatMap(kernel => kernel.foreign_keys))];
  return (
    <>
      {own.some(kernel => !kernel.reachable) && (
        <Note>
          {trans.__(
            'The server cannot reach the kernel of this notebook, for example because it runs behind a kernel gateway. Its requests fail, and nothing is authorized.'
          )}
        </Note>
      )}
      {keys.length > 0 && (
        <p className="aumos-KernelWarning">
          {trans.__(
            'A key of a provider is in the environment of the kernel of this notebook: %1. Calls with it that do not use govern() are neither limited nor recorded.',
            keys.join(', ')
          )}
        </p>
      )}
    </>
  );
}
