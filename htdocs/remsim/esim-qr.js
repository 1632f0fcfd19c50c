/** Shows a kept code as a QR code, drawn in this browser, to hand it on. */

import { CopyBox } from './copy.js';
import { openDialog } from './dialog.js';
import { el, svg } from './dom.js';

const QUIET = 4;

let library = null;

/** The library, when a code is drawn first; its file sets a global. */
function loadLibrary() {
	library ||= window.qrcode ? Promise.resolve(window.qrcode) : new Promise((resolve, reject) => {
		const script = document.createElement('script');
		script.src = new URL('../vendor/qrcode.js', import.meta.url);
		script.onload = () => resolve(window.qrcode);
		script.onerror = () => { library = null; reject(new Error('qrcode.js did not load')); };
		document.head.appendChild(script);
	});
	return library;
}

/** A text as an SVG of dark on light whatever the scheme: readers want it so. */
export async function qrPicture(text, label) {
	const qrcode = await loadLibrary(), code = qrcode(0, 'M');
	code.addData(text);
	code.make();
	const size = code.getModuleCount(), rows = [];
	for (let y = 0; y < size; y++) {
		for (let x = 0; x < size; x++) {
			if (code.isDark(y, x))
				rows.push(`M${x + QUIET} ${y + QUIET}h1v1h-1z`);
		}
	}
	const all = size + 2 * QUIET;
	return svg('svg', { viewBox: `0 0 ${all} ${all}`, class: 'remsim-esim-qr', role: 'img', 'aria-label': label, 'shape-rendering': 'crispEdges' }, svg('rect', { width: all, height: all, fill: '#ffffff' }), svg('path', { d: rows.join(''), fill: '#000000' }));
}

/** Open a dialog with a kept code. */
export async function showCode(ctx, code) {
	const { t, request, root } = ctx, { code: text } = await request(`esim/codes/${encodeURIComponent(code.id)}`);
	const picture = await qrPicture(text, t('QR code of %s', code.label || code.smdp_address)), copy = new CopyBox(t, t('Activation code'));
	copy.text.rows = 2;
	copy.show(text);
	openDialog(root, { title: code.label || t('Activation code'), t }, picture, el('p', {}, t('Who scans it first gets the profile: show it to nobody else.')), copy.root);
}
