_base_ = './ema_unet_camvid.py'
# Averages along the motion.
flow = dict(type='DISFlow', preset='fast')
model = dict(smoother=dict(type='FlowSmoother', flow=flow))
