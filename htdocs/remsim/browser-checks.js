/** What a browser itself can tell about how it reaches the service. Each check is {name, look, text, hint}. */

import { duration } from './format.js';
import { WHY_POLLING } from './link-state.js';
import { msg } from './words.js';

const SLOW_MS = 1500;
const TRIES = 3;
const CLOCK_APART_S = 60;

const WHAT_TO_DO = {
	loopback: msg('Set “listen” of the section web to 0.0.0.0:8090 to let browsers of the LAN reach the stream; without it the pages work by polling.'),
	tls: msg('A page with TLS may not open a stream without it. Open LuCI by http, or serve both by nginx; without it the pages work by polling.'),
	unreachable: msg('A firewall, a tunnel or a proxy is in between, or the port is not the one that is set. The pages work by polling.'),
	full: msg('Close pages that nobody looks at, or raise “max_streams” of the section web. The pages work by polling.')
};

const NOTIFICATIONS = {
	granted: msg('allowed'),
	denied: msg('forbidden'),
	default: msg('not asked yet')
};

/** How the page gets its data now. */
function wayCheck({ store, live, options: { t, throughLuci } }) {
	const { mode, why, everyS } = store.link, name = t('Live data');
	if (mode === 'live')
		return { name, look: 'ok', text: live.stream.role === 'leader' ? t('live: this page has the stream and shares it with the others of this browser') : t('live: another page of this browser shares its stream') };
	if (mode !== 'polling')
		return { name, look: 'info', text: t('not now: the page is paused or has no connection') };
	const text = throughLuci ? t('polling through LuCI every %s', duration(everyS)) : t('polling every %s', duration(everyS));
	return { name, look: 'info', text: WHY_POLLING[why] ? `${text} – ${t(WHY_POLLING[why])}` : text, hint: WHAT_TO_DO[why] && t(WHAT_TO_DO[why]) };
}

/** How long a small request takes there and back. */
async function tripCheck({ options: { t, request } }) {
	const name = t('Request and answer'), times = [];
	try {
		for (let done = 0; done < TRIES; done += 1) {
			const begin = performance.now();
			await request('healthz');
			times.push(performance.now() - begin);
		}
	} catch (error) {
		return { name, look: 'bad', text: error.message, hint: error.hint };
	}
	const median = times.sort((a, b) => a - b)[Math.floor(TRIES / 2)];
	return { name, look: median > SLOW_MS ? 'warn' : 'ok', text: t('%s ms', Math.round(median)), hint: median > SLOW_MS ? t('The router is busy or the link is slow. Close pages that nobody looks at.') : null };
}

function clockCheck({ store, options: { t } }) {
	const apart = Math.abs(store.offsetS), name = t('Clock of this browser');
	return apart < CLOCK_APART_S ? { name, look: 'ok', text: t('as the router’s') }
		: { name, look: 'warn', text: t('%s apart from the router’s', duration(apart)), hint: t('Times on the pages are the router’s. Set the clock that is wrong.') };
}

function sharingCheck({ live, options: { t } }) {
	const name = t('Sharing among pages'), { kind } = live.stream;
	return kind === 'none' ? { name, look: 'warn', text: t('not possible in this browser: each page has a stream of its own') }
		: { name, look: 'ok', text: kind === 'locks' ? t('by the browser’s locks') : t('by the browser’s storage') };
}

function storageCheck({ options: { t } }) {
	const name = t('Storage of this browser');
	try {
		localStorage.setItem('remsim.try', '1');
		localStorage.removeItem('remsim.try');
		return { name, look: 'ok', text: t('works') };
	} catch {
		return { name, look: 'warn', text: t('is off'), hint: t('Choices are forgotten when the page is closed. Allow this address to keep data.') };
	}
}

function notificationCheck({ options: { t } }) {
	const name = t('Browser notifications');
	if (!window.isSecureContext || !('Notification' in window))
		return { name, look: 'info', text: t('not possible over plain http'), hint: t('They need a page with TLS.') };
	return { name, look: 'info', text: t(NOTIFICATIONS[Notification.permission]) };
}

/** All checks; `page` has store, live, options. */
export async function browserChecks(page) {
	return [wayCheck(page), await tripCheck(page), sharingCheck(page), clockCheck(page), storageCheck(page), notificationCheck(page)];
}
