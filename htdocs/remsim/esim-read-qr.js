/** Reads QR codes in pictures: by the browser's own reader where it has one, else by a library in a worker, loaded when it is needed first. */

const SIZES = [1000, 1600, 600, 2400];
const ANSWER_MS = 8000;

let reader = null;

/** The browser's own: Chromium on Android, macOS and ChromeOS has it. */
async function ownReader() {
	try {
		if (!(await window.BarcodeDetector?.getSupportedFormats())?.includes('qr_code'))
			return null;
		const detector = new window.BarcodeDetector({ formats: ['qr_code'] });
		return async pixels => (await detector.detect(pixels))[0]?.rawValue || null;
	} catch {
		return null;
	}
}

/** The library: one picture at a time. */
function workerReader() {
	const worker = new Worker(new URL('../vendor/qr-scanner-worker.js', import.meta.url)), waiting = new Map();
	let last = 0;
	worker.postMessage({ type: 'inversionMode', data: 'both' });
	worker.onmessage = ({ data }) => waiting.get(data.id)?.(data.data || null);
	worker.onerror = () => waiting.forEach(give => give(null));
	return pixels => new Promise(resolve => {
		const id = last += 1, end = text => {
			clearTimeout(timer);
			waiting.delete(id);
			resolve(text);
		};
		const timer = setTimeout(end, ANSWER_MS, null);
		waiting.set(id, end);
		worker.postMessage({ id, type: 'decode', data: pixels }, [pixels.data.buffer]);
	});
}

/** The text of a QR code in an ImageData; null for none. */
export async function readPixels(pixels) {
	reader ||= ownReader().then(own => own || workerReader());
	return (await reader)(pixels);
}

/** Draw what a canvas can draw, no larger than `most` on its longer side; null where it has no size yet. */
export function pixelsOf(source, width, height, most, canvas = document.createElement('canvas')) {
	const factor = Math.min(1, most / Math.max(width, height));
	if (!(factor > 0))
		return null;
	canvas.width = Math.max(1, Math.round(width * factor));
	canvas.height = Math.max(1, Math.round(height * factor));
	const context = canvas.getContext('2d', { willReadFrequently: true });
	context.fillStyle = '#ffffff'; // a code on a see-through ground is dark on light
	context.fillRect(0, 0, canvas.width, canvas.height);
	context.drawImage(source, 0, 0, canvas.width, canvas.height);
	return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The text of a QR code in a picture file; null when there is none. Rejects what is no picture. */
export async function readPicture(file) {
	const picture = await createImageBitmap(file), longest = Math.max(picture.width, picture.height), tried = new Set();
	try {
		for (const size of SIZES) {
			const most = Math.min(size, longest);
			if (tried.has(most))
				continue;
			tried.add(most);
			const text = await readPixels(pixelsOf(picture, picture.width, picture.height, most));
			if (text)
				return text;
		}
		return null;
	} finally {
		picture.close();
	}
}
