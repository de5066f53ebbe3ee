//! How alike two pictures are, by their luma.

use crate::View;

/// Peak signal to noise, in decibels; 100 for the same picture.
pub fn psnr(one: &View<'_>, other: &View<'_>) -> f64 {
    let mut sum = 0u64;
    for (one, other) in one.planes[0].rows().zip(other.planes[0].rows()) {
        sum += one.iter().zip(other).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>();
    }
    let mean = sum as f64 / (one.planes[0].width * one.planes[0].height) as f64;
    if mean == 0.0 { 100.0 } else { (10.0 * (255.0f64.powi(2) / mean).log10()).min(100.0) }
}

/// Structural similarity, 0 to 1 (Wang et al., 2004), over windows of 8×8 that overlap by half.
pub fn ssim(one: &View<'_>, other: &View<'_>) -> f64 {
    const WINDOW: usize = 8;
    const C1: f64 = (0.01 * 255.0) * (0.01 * 255.0);
    const C2: f64 = (0.03 * 255.0) * (0.03 * 255.0);
    let (a, b) = (one.planes[0], other.planes[0]);
    let (width, height) = (a.width.min(b.width), a.height.min(b.height));
    let (mut sum, mut count) = (0.0, 0u32);
    for top in (0..(height + 1).saturating_sub(WINDOW)).step_by(WINDOW / 2) {
        for left in (0..(width + 1).saturating_sub(WINDOW)).step_by(WINDOW / 2) {
            let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0u32, 0u32, 0u32, 0u32, 0u32);
            for y in top..top + WINDOW {
                let ra = &a.data[y * a.stride + left..][..WINDOW];
                let rb = &b.data[y * b.stride + left..][..WINDOW];
                for (x, y) in ra.iter().zip(rb) {
                    let (x, y) = (u32::from(*x), u32::from(*y));
                    sa += x;
                    sb += y;
                    saa += x * x;
                    sbb += y * y;
                    sab += x * y;
                }
            }
            let n = (WINDOW * WINDOW) as f64;
            let (ma, mb) = (f64::from(sa) / n, f64::from(sb) / n);
            let va = f64::from(saa) / n - ma * ma;
            let vb = f64::from(sbb) / n - mb * mb;
            let cov = f64::from(sab) / n - ma * mb;
            sum += (2.0 * ma * mb + C1) * (2.0 * cov + C2) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
            count += 1;
        }
    }
    if count == 0 { 1.0 } else { sum / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footage::{Kind, picture};
    use shared::unit::Size;

    #[test]
    fn a_picture_is_wholly_like_itself_and_less_like_another() {
        let size = Size { width: 64, height: 48 };
        let (one, other) = (picture(Kind::Film, size, 0), picture(Kind::Film, size, 30));
        assert_eq!(psnr(&one.view(), &one.view()), 100.0);
        assert!((ssim(&one.view(), &one.view()) - 1.0).abs() < 1e-9);
        assert!(psnr(&one.view(), &other.view()) < 30.0);
        assert!(ssim(&one.view(), &other.view()) < 0.9);
    }

    #[test]
    fn one_step_of_brightness_is_48_decibels() {
        let size = Size { width: 64, height: 48 };
        let one = picture(Kind::Film, size, 0);
        let mut other = one.clone();
        other.planes[0].iter_mut().for_each(|value| *value += 1);
        assert!((psnr(&one.view(), &other.view()) - 48.13).abs() < 0.01);
        assert!(ssim(&one.view(), &other.view()) > 0.99);
    }
}
