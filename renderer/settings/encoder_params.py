"""What may be asked of x264, x265 and SVT-AV1 in their own words, besides what libav names.

Only what shapes the picture: nothing that names a file or sets up the encoder's process, since
settings may come from another user's project.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


X264_PARAMS = _words(
    """
    8x8dct analyse aq-mode aq-strength aud avcintra-class b-adapt b-bias b-pyramid bframes
    bluray-compat cabac chroma-me chroma-qp-offset cplxblur crf-max dct-decimate
    deadzone-inter deadzone-intra deblock direct fast-pskip filler ipratio level mbtree me
    merange mixed-refs mvrange nal-hrd no-8x8dct no-cabac no-chroma-me no-dct-decimate
    no-deblock no-fast-pskip no-mbtree no-mixed-refs no-psy no-weightb nr overscan partitions
    pbratio profile psnr psy psy-rd qblur qcomp qp qpmax qpmin qpstep ratetol rc-lookahead ref
    sar slices ssim subme trellis tune vbv-bufsize vbv-init vbv-maxrate videoformat weightb
    weightp
    """
)
X265_PARAMS = _words(
    """
    amp aq-mode aq-motion aq-strength aud b-adapt b-intra b-pyramid bframe-bias bframes
    cbqpoffs constrained-intra crf-max crf-min crqpoffs ctu cu-lossless cutree deblock
    early-skip fast-intra hdr10 hevc-aq high-tier hrd ipratio level-idc limit-modes limit-refs
    limit-sao limit-tu lookahead-slices lossless master-display max-cll max-merge max-tu-size
    me merange min-cu-size no-amp no-b-intra no-cutree no-deblock no-early-skip no-rect no-sao
    no-signhide no-strong-intra-smoothing no-weightb no-weightp no-wpp nr-inter nr-intra
    pbratio pme pmode psnr psy-rd psy-rdoq qcomp qg-size qp qpmax qpmin qpstep rc-lookahead rd
    rd-refine rdoq-level rdpenalty rect ref rskip rskip-edge-threshold sao selective-sao
    signhide slices splitrd-skip ssim ssim-rd strong-intra-smoothing subme temporal-mvp tskip
    tskip-fast tu-inter-depth tu-intra-depth tune vbv-bufsize vbv-init vbv-maxrate weightb
    weightp wpp
    """
)
SVT_PARAMS = _words(
    """
    ac-bias adaptive-film-grain aq-mode bias-pct content-light enable-cdef enable-dg
    enable-dlf enable-mfmv enable-overlays enable-qm enable-restoration enable-tf
    enable-variance-boost fast-decode film-grain film-grain-denoise hierarchical-levels
    lookahead luminance-qp-bias mastering-display max-qp mbr min-qp noise-norm-strength
    overshoot-pct pred-struct psy-rd qm-max qm-min qp-scale-compress-strength scm sharpness
    tf-strength tile-columns tile-rows tune undershoot-pct variance-boost-curve
    variance-boost-strength variance-octile
    """
)
