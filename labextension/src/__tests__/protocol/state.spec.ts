import { isConfig, isErrorBody, isState } from '../../protocol/state';
import { isStateEvent } from '../../server/events';
import { configs, errors, events, states } from '../support/samples';

function cases(samples: object): [string, unknown][] {
  return Object.entries(samples);
}

const NO_OBJECTS = [null, undefined, 1, 'state', true, [], {}];

describe('isState', () => {
  it.each(cases(states.valid))('takes %s', (_, body) => {
    expect(isState(body)).toBe(true);
  });

  it.each(cases(states.malformed))('refuses %s', (_, body) => {
    expect(isState(body)).toBe(false);
  });

  it.each(NO_OBJECTS)('refuses %j', body => {
    expect(isState(body)).toBe(false);
  });
});

describe('isConfig', () => {
  it.each(cases(configs.valid))('takes %s', (_, body) => {
    expect(isConfig(body)).toBe(true);
  });

  it.each(cases(configs.malformed))('refuses %s', (_, body) => {
    expect(isConfig(body)).toBe(false);
  });

  it.each(NO_OBJECTS)('refuses %j', body => {
    expect(isConfig(body)).toBe(false);
  });
});

describe('isStateEvent', () => {
  it.each(cases(events.valid))('takes %s', (_, event) => {
    expect(isStateEvent(event)).toBe(true);
  });

  it.each(cases(events.ignored))('refuses %s', (_, event) => {
    expect(isStateEvent(event)).toBe(false);
  });
});

describe('isErrorBody', () => {
  it.each(cases(errors))('takes %s', (_, error) => {
    expect(isErrorBody((error as { body: unknown }).body)).toBe(true);
  });

  it.each([null, {}, { message: 'Not Found', reason: null }])(
    'refuses %j',
    body => {
      expect(isErrorBody(body)).toBe(false);
    }
  );
});
