_base_ = './ema_unet_cityscapes.py'
# Averages along the motion.
model = dict(smoother=dict(type='FlowSmoother', flow=dict(type='DISFlow')))
