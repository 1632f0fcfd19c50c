/** How far a modem is on its way to the Internet, and what the next step wants. */

import { msg } from './words.js';

const STEPS = [['modem', msg('Modem answers')], ['sim', msg('SIM ready')], ['network', msg('Registered in a network')], ['internet', msg('Internet reached')]];

/** Where each state that is not online stops: step, whether it changes by itself, text, action with the form that helps. */
const STOPS = {
	starting: ['modem', true, msg('The modem is being asked who it is. This takes some seconds.')],
	rebooting: ['modem', true, msg('The modem restarts. It is back within a minute or two.')],
	not_answering: ['modem', false, msg('The modem does not answer.')],
	failed: ['modem', false, msg('The modem has not answered for long: take its power away for a moment.')],
	boot: ['modem', false, msg('The modem is in a boot mode: take its power away for a moment.')],
	port_busy: ['modem', false, msg('Another program uses the modem’s port.')],
	gone: ['modem', false, msg('The modem is unplugged.')],
	paused: ['modem', false, msg('Polling is off for this modem; switch it on on the dashboard or in the settings.')],
	no_sim: ['sim', false, msg('No SIM is inserted. Insert one, or choose another slot:'), 'sim-slot'],
	sim_pin: ['sim', false, msg('The SIM wants its PIN:'), 'pin'],
	sim_puk: ['sim', false, msg('The SIM is blocked. Enter its PUK, from the card’s letter or from the operator, and a new PIN:'), 'puk'],
	sim_error: ['sim', false, msg('The SIM does not answer as it should: take it out, clean it and insert it again.')],
	low_power: ['network', false, msg('The radio is off. Switch it on:'), 'radio'],
	searching: ['network', true, msg('The modem looks for a network. At a new place this takes up to a few minutes. Without success check the antenna, and whether the SIM’s access point is right:'), 'apn'],
	denied: ['network', false, msg('The network refuses this SIM. Is it activated and paid? Some networks refuse a wrong access point:'), 'apn'],
	limited: ['network', false, msg('Only emergency calls are possible: the SIM may not be used in this network.'), 'operator']
};

/**
 * The steps of a modem in their order: [{name, label, look: done|now|problem|later, text, action}]. The last one is done
 * when a probe was answered: nothing else tells that the Internet is reached.
 */
export function stepsOf(modem) {
	const stop = stopOf(modem);
	const names = STEPS.map(([name]) => name);
	const at = stop ? names.indexOf(stop[0]) : names.length;
	return STEPS.map(([name, label], index) => {
		if (index < at)
			return { name, label, look: 'done' };
		if (index > at)
			return { name, label, look: 'later' };
		return { name, label, look: stop[1] ? 'now' : 'problem', text: stop[2], action: stop[3] || null };
	});
}

function stopOf(modem) {
	const reading = modem.reading || {};
	if (modem.state !== 'online')
		return STOPS[modem.state] || STOPS.starting;
	if (isKnown(reading.latency_ms))
		return null;
	if (isKnown(reading.loss_percent))
		return ['internet', false, msg('Registered, but nothing on the Internet answers. Set the access point that your operator names:'), 'apn'];
	return ['internet', true, msg('Registered. Whether the Internet answers is being measured, unless that is switched off in the settings. If this stays, set the access point that your operator names:'), 'apn'];
}

function isKnown(value) {
	return value !== null && value !== undefined;
}
