// What a patient does on a phone who comes by link and PIN.

import assert from 'node:assert/strict';

export const PHONE = { width: 360, height: 740 };

export async function enterPin(phone, pin) {
  await phone.getByTestId('pin').fill(pin);
  await phone.getByTestId('pin-go').click();
}

export const wrongOf = (pin) => String((Number(pin) + 1) % 1_000_000).padStart(6, '0');

// Five wrong ones; the page says each time how many are left.
export async function burn(phone, { link, pin }) {
  await phone.goto('about:blank');
  await phone.goto(link);
  for (let left = 4; left >= 1; left--) {
    await enterPin(phone, wrongOf(pin));
    await phone.getByTestId('pin-wrong').getByText(`Còn ${left} lần thử`).waitFor();
  }
  await enterPin(phone, wrongOf(pin));
}

// From the PIN to the waiting room, with every test passed. look(name): at each page, before anything is done there.
export async function walk(phone, look = async () => {}) {
  const step = async (name, act) => {
    await phone.getByTestId(`visit-${name}`).waitFor();
    await look(name);
    await act();
  };
  await step('who', () => phone.getByTestId('as-patient').click());
  await step('consent', async () => {
    assert.equal(await phone.getByTestId('consent').isChecked(), false);
    assert.equal(await phone.getByTestId('consent-go').isDisabled(), true);
    await phone.getByTestId('consent').check();
    await phone.getByTestId('consent-go').click();
  });
  await step('camera', () => phone.getByTestId('test-yes').click());
  await step('microphone', async () => {
    await phone.getByTestId('mic-heard').getByText('Nghe rõ rồi').waitFor();
    await phone.getByTestId('test-yes').click();
  });
  await step('speaker', async () => {
    await phone.getByTestId('tone').click();
    await phone.getByTestId('test-yes').click();
  });
  await step('link', () => phone.getByTestId('visit-enter').click());
  await phone.getByTestId('lobby').waitFor();
}
