import React from 'react';
import type { ICreatedKey, IGatewayProvider } from '../../protocol/gateway';
import type { IGatewayApi } from '../../server/gatewayApi';
import type { IPanelSection, ISectionProps } from '../../tokens';
import { useReading } from '../../widgets/hooks';
import { ErrorLine, Note } from '../../widgets/words';
import { ownKeyOf } from '../../words/labels';
import { NotebookKeys } from './notebookKeys';
import { OwnKeys } from './ownKeys';

/** What the gateway's section needs besides {@link ISectionProps}. */
export interface IGatewayParts {
  api: IGatewayApi;
  /** Shows the secret of a new key to the user, in a dialog. */
  showKey: (created: ICreatedKey) => void;
}

/** Return the section about the gateway: the keys of the notebook, the user's own keys, and the providers. */
export function gatewaySection(parts: IGatewayParts): IPanelSection {
  return {
    id: 'gateway',
    rank: 70,
    title: trans => trans.__('Gateway'),
    Body: props => <Gateway {...props} gateway={parts} />,
    isShown: ({ model }) => model.config?.gateway != null,
    needsNotebook: false
  };
}

function Gateway(
  props: ISectionProps & { gateway: IGatewayParts }
): React.JSX.Element {
  const { gateway, model, path, state, trans } = props;
  const { value, message, reload } = useReading(
    'keys',
    `${model.revision} ${model.kernelChanges} ${model.connection}`,
    () => gateway.api.keys()
  );
  const parts = { ...props, keys: value, api: gateway.api, reload };
  return (
    <>
      <ErrorLine message={message} />
      {path !== null && ownKeyOf(path) === null && (
        <NotebookKeys
          key={path}
          {...parts}
          path={path}
          owner={state?.shared_with ?? path}
        />
      )}
      <OwnKeys {...parts} showKey={gateway.showKey} />
      <Providers
        providers={model.config?.gateway?.providers ?? []}
        trans={trans}
      />
    </>
  );
}

function Providers(props: {
  providers: readonly IGatewayProvider[];
  trans: ISectionProps['trans'];
}): React.JSX.Element {
  const { providers, trans } = props;
  return (
    <div className="aumos-Gateway-part">
      <h4>{trans.__('Providers')}</h4>
      {providers.length === 0 ? (
        <Note>{trans.__('No provider is configured.')}</Note>
      ) : (
        <dl className="aumos-Gateway-providers">
          {providers.map(provider => (
            <React.Fragment key={provider.name}>
              <dt>{provider.name}</dt>
              <dd>{modelsOf(provider, trans)}</dd>
            </React.Fragment>
          ))}
        </dl>
      )}
    </div>
  );
}

/** Return the names of the provider's models that may be called, for example "all models except gpt-4o". */
function modelsOf(
  provider: IGatewayProvider,
  trans: ISectionProps['trans']
): string {
  const allowed = provider.models.join(', ');
  const denied = provider.denied_models.join(', ');
  if (!denied) {
    return allowed || trans.__('all models');
  }
  return allowed
    ? trans.__('%1, except %2', allowed, denied)
    : trans.__('all models except %1', denied);
}
