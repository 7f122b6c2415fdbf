import { caretDownIcon } from '@jupyterlab/ui-components';
import React from 'react';
import type { IPanelSection, ISectionProps } from '../tokens';

/** One section of the panel: a title that opens and closes the section, and below it the section's content. */
export function SectionFrame(props: SectionFrame.IProps): React.JSX.Element {
  const { section, isOpen, onToggle, ...rest } = props;
  const { Badge, Body } = section;
  const body = React.useId();
  return (
    <section
      className="aumos-Section"
      data-section={section.id}
      aria-label={section.title(props.trans)}
    >
      <h3>
        <button
          type="button"
          className="aumos-Section-title"
          aria-expanded={isOpen}
          aria-controls={isOpen ? body : undefined}
          onClick={onToggle}
        >
          <caretDownIcon.react tag="span" className="aumos-Section-caret" />
          <span className="aumos-Section-name">
            {section.title(props.trans)}
          </span>
          {Badge && (
            <span className="aumos-Section-badge">
              <Badge {...rest} />
            </span>
          )}
        </button>
      </h3>
      {isOpen && (
        <div id={body} className="aumos-Section-body">
          <Body {...rest} />
        </div>
      )}
    </section>
  );
}

/** A namespace for the types that belong to `SectionFrame`. */
export namespace SectionFrame {
  /** The properties of the component `SectionFrame`. */
  export interface IProps extends ISectionProps {
    section: IPanelSection;
    isOpen: boolean;
    onToggle: () => void;
  }
}
